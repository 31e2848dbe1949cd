//! The words of the summary, in English and French.

use palmares_domain::organizations::Locale;

pub(super) struct Words {
    pub title: &'static str,
    pub organization: &'static str,
    pub person: &'static str,
    pub built: &'static str,
    pub events: &'static str,
    pub read_by_others: &'static str,
    pub profile: &'static str,
    pub consents: &'static str,
    pub requests: &'static str,
    pub controller: &'static str,
    pub purposes: &'static str,
    pub on_ground: &'static str,
    pub shown_to: &'static str,
    pub outside: &'static str,
    pub days_kept: &'static str,
    pub origins: &'static str,
    pub by_type: &'static str,
    pub reads: &'static str,
    pub how_to_read: &'static str,
    pub nothing: &'static str,
    names: &'static [(&'static str, &'static str)],
}

impl Words {
    pub fn of(language: Locale) -> &'static Self {
        match language {
            Locale::En => &ENGLISH,
            Locale::Fr => &FRENCH,
        }
    }

    /// How a field is called.
    pub fn label<'a>(&self, field: &'a str) -> &'a str {
        self.named(field)
    }

    /// What was done.
    pub fn step<'a>(&self, step: &'a str) -> &'a str {
        self.named(step)
    }

    /// Whatever has no word is called as in events.
    fn named<'a>(&self, name: &'a str) -> &'a str {
        self.names.iter().find(|(known, _)| *known == name).map_or(name, |(_, word)| word)
    }
}

const ENGLISH: Words = Words {
    title: "What is recorded of you: a summary",
    organization: "Organization",
    person: "Person",
    built: "Built",
    events: "Events",
    read_by_others: "Times that somebody else read sensitive data of yours",
    profile: "Your profile",
    consents: "What you agreed to",
    requests: "What you asked for",
    controller: "Who answers for it",
    on_ground: "on the ground of",
    outside: "outside",
    purposes: "Why it is kept, who may be shown it, and how long it is kept",
    shown_to: "shown to",
    days_kept: "days after the account's end",
    origins: "From where you came, the newest first, 200 at most",
    by_type: "Events by type",
    reads: "Reads by others, the newest first, 200 at most",
    how_to_read: "\\u{...} is a letter that this page cannot show, by its number in Unicode. The JSON export has it as it is.",
    nothing: "Nothing.",
    names: &[
        ("given_name", "Given name"),
        ("family_name", "Family name"),
        ("display_name", "Display name"),
        ("email", "E-mail address"),
        ("phone", "Telephone"),
        ("external_ref", "Reference in the organization's systems"),
        ("profile", "Who you are"),
        ("health", "Activity and health"),
        ("reward", "Points and rewards"),
        ("hr", "Employment"),
        ("security", "Security of the account"),
        ("platform_admin", "platform administrators"),
        ("platform_superuser", "platform superusers"),
        ("platform_support", "platform support"),
        ("organization_admin", "administrators"),
        ("compliance_officer", "compliance officers"),
        ("expert", "assigned experts"),
        ("consent_or_contract", "consent or contract"),
        ("contract", "contract"),
        ("explicit_consent", "your explicit consent"),
        ("legal_obligation", "legal obligation"),
        ("legitimate_interests", "legitimate interests"),
        ("hosting", "who runs the servers"),
        ("mail_carrier", "who carries letters"),
        ("text_message_gateway", "who carries text messages"),
        ("identity_provider", "your organization's provider of identities"),
        ("siem_stream", "where your organization sends its audit log"),
        ("captcha_service", "who tells people from programs at sign-in"),
        ("tax_law", "tax law"),
        ("employment_law", "employment law"),
    ],
};

const FRENCH: Words = Words {
    title: "Ce qui est enregistré à votre sujet : un résumé",
    organization: "Organisation",
    person: "Personne",
    built: "Établi le",
    events: "Événements",
    read_by_others: "Nombre de fois où quelqu'un d'autre a lu des données sensibles à votre sujet",
    profile: "Votre profil",
    consents: "Ce à quoi vous avez consenti",
    requests: "Ce que vous avez demandé",
    controller: "Qui en répond",
    on_ground: "sur la base de",
    outside: "à l'extérieur",
    purposes: "Pourquoi c'est conservé, à qui cela peut être montré, et combien de temps",
    shown_to: "montré à",
    days_kept: "jours après la fin du compte",
    origins: "D'où vous êtes venu, les plus récents d'abord, 200 au plus",
    by_type: "Événements par type",
    reads: "Lectures par d'autres, les plus récentes d'abord, 200 au plus",
    how_to_read: "\\u{...} est une lettre que cette page ne peut montrer, par son numéro Unicode. L'export JSON la contient telle quelle.",
    nothing: "Rien.",
    names: &[
        ("given_name", "Prénom"),
        ("family_name", "Nom"),
        ("display_name", "Nom affiché"),
        ("email", "Adresse électronique"),
        ("phone", "Téléphone"),
        ("external_ref", "Référence dans les systèmes de l'organisation"),
        ("profile", "Qui vous êtes"),
        ("health", "Activité et santé"),
        ("reward", "Points et récompenses"),
        ("hr", "Emploi"),
        ("security", "Sécurité du compte"),
        ("platform_admin", "administration de la plateforme"),
        ("platform_superuser", "supervision de la plateforme"),
        ("platform_support", "assistance de la plateforme"),
        ("organization_admin", "administration"),
        ("compliance_officer", "responsables de la conformité"),
        ("expert", "experts désignés"),
        ("consent_or_contract", "consentement ou contrat"),
        ("contract", "contrat"),
        ("explicit_consent", "votre consentement explicite"),
        ("legal_obligation", "obligation légale"),
        ("legitimate_interests", "intérêts légitimes"),
        ("hosting", "qui exploite les serveurs"),
        ("mail_carrier", "qui achemine les lettres"),
        ("text_message_gateway", "qui achemine les messages texte"),
        ("identity_provider", "le fournisseur d'identités de votre organisation"),
        ("siem_stream", "où votre organisation envoie son journal d'audit"),
        ("captcha_service", "qui distingue personnes et programmes à la connexion"),
        ("tax_law", "droit fiscal"),
        ("employment_law", "droit du travail"),
        ("granted", "accordé"),
        ("renewed", "renouvelé"),
        ("revoked", "retiré"),
        ("received", "reçue"),
        ("taken", "prise en charge"),
        ("extended", "prolongée"),
        ("fulfilled", "satisfaite"),
        ("refused", "refusée"),
        ("withdrawn", "retirée"),
        ("overdue", "en retard"),
    ],
};
