-- The incarnation as it is at the very moment of the call. A sub-select in the condition of an UPDATE
-- is answered from when the UPDATE began, which may have waited for a lock since; a volatile function
-- is asked again when the condition is.
CREATE FUNCTION log_incarnation() RETURNS uuid VOLATILE LANGUAGE sql BEGIN ATOMIC SELECT incarnation FROM log_head; END;
