//! Private ports: free when chosen, remembered afterwards.

use rand::Rng;
use std::net::{Ipv4Addr, TcpListener};

/// Below the range from which Linux takes ports of outgoing connections (32768 and up), so that a
/// remembered port is not lost to a passing connection.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// `remembered`, if it is still free; else another free port that is not `taken`.
pub fn choose(remembered: Option<u16>, taken: &[u16]) -> Option<u16> {
    let fits = |port: &u16| !taken.contains(port) && is_free(*port);
    let mut random = rand::rng();
    remembered.filter(fits).or_else(|| (0..200).map(|_| random.random_range(RANGE)).find(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_replaced() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let busy = listener.local_addr().expect("address").port();
        let chosen = choose(Some(busy), &[]).expect("a port");
        assert_ne!(chosen, busy);
        assert_ne!(choose(Some(chosen), &[chosen]), Some(chosen));
    }
}
