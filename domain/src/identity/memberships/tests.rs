//! Given events, when a command comes, then events or a refusal.

use super::{aggregate::MEMBERSHIPS_MAX, *};
use crate::kernel::{Aggregate, Code, Digest, Event, Facts, MembershipId, OrganizationId, Personal, Refusal, SessionId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const ADA: UserId = UserId(Uuid::from_u128(2));
const SESSION: SessionId = SessionId(Uuid::from_u128(3));

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn id(number: u128) -> MembershipId {
    MembershipId(Uuid::from_u128(number))
}

/// Ada's account in the organization of this number.
fn account(number: u128) -> Account {
    Account { organization_id: OrganizationId(Uuid::from_u128(number)), user_id: UserId(Uuid::from_u128(number + 1)) }
}

fn link(number: u128) -> MembershipsAction {
    MembershipsAction::Link(LinkMembership { membership_id: id(number), organization_id: ACME, account: account(number * 100) })
}

fn unlink(number: u128) -> MembershipsAction {
    MembershipsAction::Unlink { membership_id: id(number) }
}

fn away(number: u128, asked: i64) -> MembershipsAction {
    MembershipsAction::SwitchAway { membership_id: id(number), asked_at: at(asked) }
}

fn switch_in(number: u128) -> MembershipsAction {
    MembershipsAction::SwitchIn { membership_id: id(number), session_id: SESSION }
}

fn when(state: &Memberships, seconds: i64, action: MembershipsAction) -> Result<Vec<MembershipsEvent>, MembershipsError> {
    state.decide(&MembershipsCommand { user_id: ADA, action }, &Facts { now: at(seconds), actor: ADA })
}

fn given(actions: impl IntoIterator<Item = MembershipsAction>) -> Memberships {
    actions.into_iter().fold(Memberships::default(), |mut state, action| {
        when(&state, 0, action).unwrap().iter().for_each(|event| state.evolve(event));
        state
    })
}

fn closed() -> Memberships {
    let mut state = Memberships::default();
    let account = Personal::Sealed(Digest([7; 32]));
    state.evolve(&MembershipLinked { user_id: ADA, membership_id: id(1), account, linked_at: at(0) }.into());
    state
}

// covers: E-200
#[test]
fn an_account_elsewhere_is_linked_and_unlinked() {
    let linked = MembershipLinked { user_id: ADA, membership_id: id(1), account: Personal::Clear(account(100)), linked_at: at(5) };
    assert_eq!(when(&Memberships::default(), 5, link(1)), Ok(vec![linked.into()]));
    let state = given([link(1), link(2)]);
    assert_eq!(state.all().map(|(id, _)| id).collect::<Vec<_>>(), [id(1), id(2)]);
    assert!(state.leads_to(id(1), account(100)) && !state.leads_to(id(1), account(200)) && !state.leads_to(id(3), account(100)));
    assert_eq!(when(&state, 5, unlink(1)), Ok(vec![MembershipUnlinked { user_id: ADA, membership_id: id(1) }.into()]));
    assert_eq!(given([link(1), link(2), unlink(1)]).all().count(), 1);
}

#[test]
fn one_organization_is_linked_once_and_never_to_itself() {
    let again = MembershipsAction::Link(LinkMembership { membership_id: id(9), organization_id: ACME, account: account(100) });
    assert_eq!(when(&given([link(1)]), 1, again.clone()), Err(MembershipsError::LinkedAlready));
    assert!(when(&given([link(1), unlink(1)]), 1, again).is_ok());
    let own = LinkMembership { membership_id: id(9), organization_id: ACME, account: account(ACME.0.as_u128()) };
    assert_eq!(when(&Memberships::default(), 1, MembershipsAction::Link(own)), Err(MembershipsError::SameOrganization));
}

#[test]
fn the_number_of_links_is_bounded() {
    let many = given((1..=MEMBERSHIPS_MAX as u128).map(link));
    assert_eq!(when(&many, 1, link(900)), Err(MembershipsError::TooMany));
}

#[test]
fn what_is_not_linked_or_no_longer_leads_nowhere() {
    for state in [Memberships::default(), given([link(1), unlink(1)]), given([link(2)])] {
        for action in [unlink(1), away(1, 0), switch_in(1)] {
            assert_eq!(when(&state, 1, action), Err(MembershipsError::NotFound));
        }
    }
}

#[test]
fn a_way_to_the_other_account_is_good_once() {
    let state = given([link(1)]);
    let gone = |seconds| Ok(vec![SwitchedAway { user_id: ADA, membership_id: id(1), switched_at: at(seconds) }.into()]);
    assert_eq!(when(&state, 10, away(1, 8)), gone(10));
    // Of a node whose clock is ahead.
    assert_eq!(when(&state, 10, away(1, 12)), gone(12));
    let mut used = state;
    when(&used, 10, away(1, 12)).unwrap().iter().for_each(|event| used.evolve(event));
    assert_eq!(used.get(id(1)).unwrap().last_switched_at, Some(at(12)));
    for asked in [8, 12] {
        assert_eq!(when(&used, 20, away(1, asked)), Err(MembershipsError::SwitchSpent));
    }
    assert_eq!(when(&used, 20, away(1, 13)), gone(20));
}

#[test]
fn who_comes_from_elsewhere_comes_into_a_session() {
    let came = SwitchedIn { user_id: ADA, membership_id: id(1), session_id: SESSION };
    assert_eq!(when(&given([link(1)]), 1, switch_in(1)), Ok(vec![came.into()]));
}

#[test]
fn once_its_data_was_erased_it_leads_nowhere_for_good() {
    let state = closed();
    assert_eq!(state, Memberships::Closed);
    assert_eq!(state.all().count(), 0);
    for action in [link(2), unlink(1), away(1, 0), switch_in(1)] {
        assert_eq!(when(&state, 1, action), Err(MembershipsError::Closed));
    }
}

#[test]
fn who_is_given_a_way_to_sign_in_by_somebody_else_has_no_accounts_elsewhere() {
    let unlinked = |number| MembershipUnlinked { user_id: ADA, membership_id: id(number) }.into();
    assert_eq!(when(&given([link(1), link(2)]), 1, MembershipsAction::UnlinkAll), Ok(vec![unlinked(1), unlinked(2)]));
    for state in [Memberships::default(), closed()] {
        assert_eq!(when(&state, 1, MembershipsAction::UnlinkAll), Ok(Vec::new()));
    }
}

#[test]
fn no_event_says_in_clear_where_else_somebody_is() {
    let events = when(&Memberships::default(), 1, link(1)).unwrap();
    assert!(events[0].to_payload().is_err(), "a clear account can be written");
    assert!(!format!("{events:?}").contains(&account(100).user_id.to_string()));
}

#[test]
fn refusals_say_their_code() {
    let code = |error: MembershipsError| error.code();
    assert_eq!(code(MembershipsError::NotFound), Code::ResourceNotFound);
    assert_eq!(code(MembershipsError::SwitchSpent), Code::AuthenticationFailed);
    assert_eq!(code(MembershipsError::LinkedAlready), Code::Conflict);
}
