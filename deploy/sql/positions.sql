-- How far a projection has read each partition of a topic.
SELECT partition, position FROM readmodel.positions WHERE projection = $1 AND topic = $2;
