//! The environment variables, in one list.

/// Every environment variable that palmares reads, with what it means. A test holds the command
/// line to this list, another one `docker-compose.yml`.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("DATABASE_URL", "PostgreSQL as the owner of the database, who is no superuser: postgres://user:password@host/database"),
    ("NATS_URL", "a NATS server with JetStream: nats://user:password@host:4222; the others of its cluster are found through it"),
    ("PALMARES_NATS_REPLICAS", "copies of the stream in a NATS cluster: 3 on three nodes"),
    ("PALMARES_BIND", "address and port to serve on; loopback unless told otherwise"),
    ("PALMARES_ROLE", "what this process does: api, worker or all"),
    ("PALMARES_MASTER_KEY_FILE", "file with the master key, 64 hexadecimal digits, which seals the key store"),
    ("PALMARES_KEY_DIR", "folder of the key store; shared by all nodes, and never in a backup of the database"),
    (
        "PALMARES_VAULT_ADDR",
        "HashiCorp Vault, whose transit engine holds the keys in place of the master key and its folder: https://vault:8200",
    ),
    ("PALMARES_VAULT_TOKEN_FILE", "file with the token for Vault, read again for each request; needed with PALMARES_VAULT_ADDR"),
    ("PALMARES_VAULT_MOUNT", "where the transit engine is mounted; transit unless told otherwise"),
    ("PALMARES_VAULT_PREFIX", "what the names of keys in Vault begin with; palmares unless told otherwise"),
    ("PALMARES_JWT_KEY_FILE", "file with the Ed25519 keys of tokens (PKCS#8, PEM): the first private one signs, all verify"),
    (
        "PALMARES_LOG_KEY_FILE",
        "file with the Ed25519 keys of the log (PKCS#8, PEM): the first private one signs; without it nothing is sealed",
    ),
    ("PALMARES_LOG_CHECKPOINT_FILE", "file of the last signed checkpoint of the log; not in the database, nor beside it"),
    ("PALMARES_LOG_VERIFY_HOURS", "hours after which the whole log is read again and compared with what was signed; 0 for never"),
    ("PALMARES_LOG_WITNESSES", "witnesses of the log (c2sp.org/tlog-witness), with commas between: name+id+key@https://submission.prefix"),
    ("PALMARES_ISSUER", "`iss` of the tokens that are signed and accepted"),
    ("PALMARES_AUDIENCE", "`aud` of the tokens that are signed and accepted"),
    ("PALMARES_ENVIRONMENT", "`env` of the tokens that are signed and accepted; production unless told otherwise"),
    (
        "PALMARES_PUBLIC_URL",
        "address under which people reach the system, for links in letters and identity providers; where it serves unless told otherwise",
    ),
    ("PALMARES_SMTP_URL", "mail server for letters: smtp://user:password@host:587?tls=required; without it letters wait"),
    ("PALMARES_MAIL_FROM", "sender of letters: Palmares <no-reply@your.company>"),
    ("PALMARES_RATE_LIMIT_IP", "requests that one address may make in 5 minutes"),
    ("PALMARES_TRUSTED_PROXIES", "how many proxies stand before it; unset, X-Forwarded-For is not believed"),
    (
        "PALMARES_BREACHED_PASSWORDS_FILE",
        "list of stolen passwords: SHA-1 in hexadecimal, one in a line, in order; none of them is accepted",
    ),
    ("PALMARES_CACHE_BYTES", "bytes of states that stay in memory, as an estimate"),
    ("PALMARES_SMS_URL", "gateway of text messages, which takes {id, to, text}; needs PALMARES_SECRETS_DIR/sms-gateway and a mail server"),
    (
        "PALMARES_SECRETS_DIR",
        "folder of the secrets by which identity providers and SIEMs know us: <organization id>/<name>, one in a file; and that of text messages",
    ),
    (
        "PALMARES_CAPTCHA_URL",
        "where a service says whether a challenge was solved (siteverify), such as https://challenges.cloudflare.com/turnstile/v0/siteverify",
    ),
    ("PALMARES_CAPTCHA_SECRET", "by which that service knows us; needed with PALMARES_CAPTCHA_URL"),
    ("PALMARES_DNS_SERVER", "address and port of the DNS server that proves domains; unset, those that the machine asks"),
    ("PALMARES_DATA_DIR", "data folder of `palmares dev`"),
    ("PALMARES_URL", "address of a running Palmares, for the commands that are its clients"),
    ("PALMARES_TOKEN", "token for those commands"),
    ("PALMARES_POSTGRES_BIN", "folder of the PostgreSQL programs for `palmares dev`, where it is not a usual one"),
    ("PALMARES_NATS_SERVER", "the nats-server program for `palmares dev`, where it is not in .tools/ or in PATH"),
    ("RUST_LOG", "what is logged, such as `info` or `palmares=debug`"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "where traces go in OTLP over HTTP, such as http://localhost:4318; without it none are made"),
];
