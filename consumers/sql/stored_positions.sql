-- How far a projection has read.
SELECT topic, partition, position FROM readmodel.positions WHERE projection = $1;
