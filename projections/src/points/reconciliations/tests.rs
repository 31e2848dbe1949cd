use super::query::{Amounts, Folding, Positions};
use crate::points::{account_events::parse, balances::Change, story::Story};
use palmares_domain::kernel::Aggregate;
use palmares_domain::points::{Account, AccountKey, account::AccountEvent};

/// The events of an account with their positions.
fn events(story: &Story, account: AccountKey) -> Vec<(i64, AccountEvent)> {
    let of_account = story.log.iter().filter(|delivered| delivered.event.stream.id == account.id().0);
    of_account.map(|delivered| (delivered.event.position, parse(delivered).unwrap())).collect()
}

#[test]
fn wherever_the_read_models_stand_they_are_compared_at_the_lower_position() {
    let story = Story::varied();
    let last = story.log.len() as i64;
    for account in story.accounts.keys() {
        let events = events(&story, *account);
        for (balances, ledger) in (0..=last).flat_map(|balances| (0..=last).map(move |ledger| (balances, ledger))) {
            let positions = Positions { balances, ledger };
            let mut folding = Folding::default();
            let (mut balance, mut posted, mut truth) = (Change::default(), 0, Account::default());
            for (position, event) in &events {
                folding.follow(positions, *position, event);
                if *position <= balances {
                    balance += Change::of(event);
                }
                if *position <= ledger {
                    posted += event.posted_change();
                }
                if *position <= balances.min(ledger) {
                    truth.evolve(event);
                }
            }
            let compared =
                folding.finish().compare(Amounts { posted: balance.posted, held: balance.held, pending: balance.pending }, posted);
            let truth = truth.balance();
            assert_eq!(compared.fold, Amounts { posted: truth.posted, held: truth.held, pending: truth.pending });
            assert!(compared.is_match(), "{compared:?} with {positions:?}");
        }
    }
}

#[test]
fn a_difference_is_exact() {
    let story = Story::varied();
    let account = *story.accounts.keys().next().unwrap();
    let positions = Positions { balances: 4, ledger: story.log.len() as i64 };
    let mut folding = Folding::default();
    let (mut balance, mut posted) = (Amounts::default(), 0);
    for (position, event) in events(&story, account) {
        folding.follow(positions, position, &event);
        let change = Change::of(&event);
        if position <= positions.balances {
            balance = Amounts {
                posted: balance.posted + change.posted,
                held: balance.held + change.held,
                pending: balance.pending + change.pending,
            };
        }
        posted += change.posted;
    }
    balance.held += 3;
    posted -= 1;
    let compared = folding.finish().compare(balance, posted);
    assert!(!compared.is_match());
    assert_eq!((compared.balance.held - compared.fold.held, compared.ledger - compared.fold.posted), (3, -1));
}
