"""The auditor: derives every decision again from the log, and says where the record and the topics differ."""
