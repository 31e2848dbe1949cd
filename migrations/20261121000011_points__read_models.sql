-- Points: programs, balances, lots, transactions with the statement, and the ledger's own sums.
--
-- Rows that are added to again and again leave room in their pages, so that an update stays in its
-- page and touches no index.

CREATE TABLE points_programs_a (
    organization_id uuid NOT NULL,
    program_id uuid NOT NULL,
    name text NOT NULL,
    floor bigint NOT NULL,
    defined_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, program_id)
);
SELECT create_read_model('points_programs');

CREATE TABLE points_earning_rules_a (
    organization_id uuid NOT NULL,
    program_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    rule_version integer NOT NULL,
    kind text NOT NULL,
    metric text NOT NULL,
    per_units bigint NOT NULL,
    points bigint NOT NULL,
    daily_cap bigint,
    effective_from date NOT NULL,
    retired_from date,
    PRIMARY KEY (organization_id, program_id, rule_id, rule_version)
);
SELECT create_read_model('points_earning_rules');

CREATE TABLE points_expiry_rules_a (
    organization_id uuid NOT NULL,
    program_id uuid NOT NULL,
    rule_version integer NOT NULL,
    expires_after_days integer,
    effective_from date NOT NULL,
    PRIMARY KEY (organization_id, program_id, rule_version)
);
SELECT create_read_model('points_expiry_rules');

CREATE TABLE points_balances_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
    program_id uuid NOT NULL,
    team_id uuid,
    posted bigint NOT NULL,
    held bigint NOT NULL,
    pending bigint NOT NULL,
    -- How often the account was frozen minus how often it was unfrozen: it adds up like the rest.
    freezes integer NOT NULL,
    -- The last event that changed the row.
    position bigint NOT NULL,
    PRIMARY KEY (organization_id, user_id, account_id)
) WITH (fillfactor = 60);
SELECT create_read_model('points_balances');

-- Open lots only: one that is used up goes, and comes back whole where its points are given back.
CREATE TABLE points_lots_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
    lot_id uuid NOT NULL,
    program_id uuid NOT NULL,
    team_id uuid,
    -- Among lots of one expiry the lowest number is spent first.
    number integer NOT NULL,
    expires_at timestamptz,
    -- Includes what is held.
    remaining bigint NOT NULL,
    held bigint NOT NULL,
    PRIMARY KEY (organization_id, user_id, account_id, lot_id)
) WITH (fillfactor = 70);
SELECT create_read_model('points_lots');

CREATE TABLE points_transactions_a (
    organization_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    account_id uuid NOT NULL,
    program_id uuid NOT NULL,
    user_id uuid NOT NULL,
    team_id uuid,
    kind text NOT NULL,
    status text NOT NULL,
    amount bigint NOT NULL,
    settled bigint NOT NULL,
    released bigint NOT NULL,
    reversed bigint NOT NULL,
    shortfall bigint NOT NULL,
    original_id uuid,
    counterparty_user_id uuid,
    rule_id uuid,
    rule_version integer,
    earned_on date,
    source_id text,
    expires_at timestamptz,
    created_position bigint NOT NULL,
    created_at timestamptz NOT NULL,
    resolved_position bigint,
    resolved_at timestamptz,
    PRIMARY KEY (organization_id, transaction_id)
) WITH (fillfactor = 80);
SELECT create_read_model('points_transactions');

CREATE TABLE points_statement_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    position bigint NOT NULL,
    program_id uuid NOT NULL,
    team_id uuid,
    transaction_id uuid NOT NULL,
    kind text NOT NULL,
    amount bigint NOT NULL,
    balance bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, user_id, position)
);
SELECT create_read_model('points_statement');

-- Where the statement of each account stands, so that the next line knows its running balance.
CREATE TABLE points_statement_balances_a (
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    balance bigint NOT NULL,
    PRIMARY KEY (organization_id, account_id)
) WITH (fillfactor = 70);
SELECT create_read_model('points_statement_balances');

CREATE TABLE points_ledger_a (
    organization_id uuid NOT NULL,
    program_id uuid NOT NULL,
    account text NOT NULL,
    debit bigint NOT NULL,
    credit bigint NOT NULL,
    PRIMARY KEY (organization_id, program_id, account)
) WITH (fillfactor = 20);
SELECT create_read_model('points_ledger');

CREATE TABLE points_ledger_members_a (
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    debit bigint NOT NULL,
    credit bigint NOT NULL,
    PRIMARY KEY (organization_id, account_id)
) WITH (fillfactor = 70);
SELECT create_read_model('points_ledger_members');
