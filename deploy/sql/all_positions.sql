-- How far every projection has read.
SELECT projection, topic, partition, position FROM readmodel.positions;
