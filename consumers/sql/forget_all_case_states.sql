-- Before the topic is read from its beginning again: what it no longer holds must not stay.
DELETE FROM readmodel.case_states;
