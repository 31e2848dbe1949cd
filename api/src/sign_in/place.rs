//! Where somebody signs in from, as keyed hashes: they can be compared, and nobody can test an address
//! against them without the organization's index key (E-101).

use super::{entrance::Device, meant::Meant};
use crate::{pipeline::door::Visit, problem::Problem};
use palmares_commands::{engine::Rejection, privacy::KeyRing};
use palmares_domain::{
    identity::sign_in_watch::{Means, Sighting},
    kernel::{Digest, SessionId},
    organizations::organization::SuspiciousSignIn,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network of an address, hashed for one user.
pub async fn network(ring: &KeyRing, meant: &Meant, address: IpAddr) -> Result<Digest, Problem> {
    hashed(ring, meant, "sign_in_network", &network_of(address)).await
}

/// A session as it is seen at a door.
pub async fn sighting(
    visit: &Visit<'_>,
    meant: &Meant,
    (session_id, means): (SessionId, Means),
    device: Option<&Device>,
    choice: SuspiciousSignIn,
) -> Result<Sighting, Problem> {
    let ring = &visit.services.desk.ring;
    let agent = visit.client.user_agent.as_deref().unwrap_or_default();
    let known_by = match device.and_then(|device| device.id) {
        Some(id) => Some(hashed(ring, meant, "sign_in_device", &id.to_string()).await?),
        None => None,
    };
    Ok(Sighting {
        session_id,
        means,
        network: network(ring, meant, visit.address).await?,
        agent: hashed(ring, meant, "sign_in_agent", &agent_family(agent)).await?,
        device: known_by,
        address: visit.address.to_string(),
        device_name: device.and_then(|device| device.name.clone()).or_else(|| visit.client.user_agent.clone()),
        choice,
    })
}

async fn hashed(ring: &KeyRing, meant: &Meant, kind: &str, value: &str) -> Result<Digest, Problem> {
    let hash = ring.lookup_hash(meant.organization, kind, &format!("{}\n{value}", meant.user)).await;
    hash.map(Digest).map_err(|error| Rejection::Internal(error.into()).into())
}

/// The network of an address: what a household, an office or a carrier's gateway shares. `/24` of IPv4, `/48` of IPv6.
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// A user agent without its versions, so that an update is not another device.
fn agent_family(agent: &str) -> String {
    agent.chars().filter(|character| character.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: E-101
    #[test]
    fn neighbours_share_a_network() {
        let network = |address: &str| network_of(address.parse().unwrap());
        assert_eq!(network("203.0.113.7"), "203.0.113.0/24");
        assert_eq!(network("203.0.113.7"), network("203.0.113.250"));
        assert_ne!(network("203.0.113.7"), network("203.0.114.7"));
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.0/24", "one address, written in two ways");
        assert_eq!(network("2001:db8:5:1::1"), "2001:db8:5::/48");
        assert_eq!(network("2001:db8:5:1::1"), network("2001:db8:5:ffff::9"));
        assert_ne!(network("2001:db8:5::1"), network("2001:db8:6::1"));
    }

    #[test]
    fn an_update_is_the_same_agent_and_another_program_is_not() {
        let before = agent_family("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0");
        assert_eq!(before, agent_family("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"));
        assert_ne!(before, agent_family("curl/8.5.0"));
    }
}
