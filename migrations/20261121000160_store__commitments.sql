-- What hides a claim in the commitment that the log keeps of it, and goes with the claim. Claims of before have none.
ALTER TABLE claims ADD COLUMN salt uuid;
-- Whoever verifies the log looks whether what stands beside it is what it says.
GRANT SELECT ON claims, timers TO palmares_relay;
GRANT SELECT (id) ON commands TO palmares_relay;
