-- How far the read model has read a partition of the cases topic.
SELECT position FROM readmodel.positions WHERE projection = $1 AND topic = $2 AND partition = $3;
