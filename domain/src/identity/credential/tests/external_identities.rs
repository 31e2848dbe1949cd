//! Accounts elsewhere: linked, and unlinked.

use super::*;

#[test]
fn one_account_of_each_provider_is_linked() {
    let mut credential = Credential::default();
    then(&mut credential, 0, link(ISSUER, "248289761001"));
    assert_eq!(credential.external_subject(ISSUER), Some("248289761001"));
    assert_eq!(credential.external_subject(Digest([8; 32])), None);
    for subject in ["248289761001", "another"] {
        assert_eq!(when(&credential, 1, link(ISSUER, subject)), Err(ExternalIdentityLinkedAlready));
    }
    for issuer in 8..27 {
        then(&mut credential, 1, link(Digest([issuer; 32]), "x"));
    }
    assert_eq!(when(&credential, 2, link(Digest([27; 32]), "x")), Err(TooManyExternalIdentities));
}

#[test]
fn an_account_elsewhere_is_unlinked_and_linked_again_only_when_its_user_allows_it() {
    let mut credential = given(vec![set(HASH, false), link(ISSUER, "ada")]);
    assert_eq!(when(&credential, 2, unlink(ISSUER, false)), Ok(vec![ExternalIdentityUnlinked { user_id: ALICE, issuer: ISSUER }.into()]));
    then(&mut credential, 2, unlink(ISSUER, false));
    assert_eq!(credential.external_identities().count(), 0);
    assert_eq!(when(&credential, 3, unlink(ISSUER, true)), Err(ExternalIdentityNotLinked));
    for subject in ["ada", "another"] {
        assert_eq!(when(&credential, 3, link(ISSUER, subject)), Err(ExternalIdentityUnlinkedBefore));
    }
    assert!(when(&credential, 3, link(Digest([8; 32]), "ada")).is_ok(), "another provider is another matter");
    assert_eq!(when(&credential, 3, AllowExternalIdentities), Ok(vec![ExternalIdentitiesAllowed { user_id: ALICE }.into()]));
    then(&mut credential, 3, AllowExternalIdentities);
    assert_eq!(when(&credential, 4, AllowExternalIdentities), Err(NothingUnlinked));
    assert!(when(&credential, 4, link(ISSUER, "ada")).is_ok());
}

#[test]
fn the_only_way_to_sign_in_stays() {
    let only = given(vec![link(ISSUER, "ada"), link(Digest([8; 32]), "ada")]);
    assert_eq!(when(&only, 2, unlink(ISSUER, false)), Err(ExternalIdentityIsOnlyWay));
    assert!(when(&only, 2, unlink(ISSUER, true)).is_ok(), "a link can be sent to their mailbox");
    let with_password = given(vec![link(ISSUER, "ada"), set(HASH, true)]);
    assert!(when(&with_password, 2, unlink(ISSUER, false)).is_ok());
}
