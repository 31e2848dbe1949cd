//! The DNS as the machine is set to ask it, or one server that an operator names.

use super::{DnsFault, DnsResolver};
use anyhow::Context;
use async_trait::async_trait;
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{op::ResponseCode, rr::RData},
};
use std::{net::SocketAddr, time::Duration};

/// Someone waits for the answer.
const PATIENCE: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 2;

/// The real DNS.
pub struct HickoryDns {
    resolver: TokioResolver,
}

impl HickoryDns {
    /// # Errors
    /// Settings of the machine that cannot be read.
    pub fn open(server: Option<SocketAddr>) -> anyhow::Result<Self> {
        let mut builder = match server {
            Some(address) => TokioResolver::builder_with_config(only(address), TokioRuntimeProvider::default()),
            None => TokioResolver::builder_tokio().context("the machine does not say how to ask the DNS")?,
        };
        careful(builder.options_mut());
        Ok(Self { resolver: builder.build().context("the DNS cannot be asked")? })
    }
}

fn only(address: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    ResolverConfig::from_name_servers(vec![NameServerConfig::new(address.ip(), true, connections.to_vec())])
}

fn careful(options: &mut ResolverOpts) {
    options.timeout = PATIENCE;
    options.attempts = ATTEMPTS;
    // Whoever asks again has just published the record that was missing.
    options.cache_size = 0;
}

#[async_trait]
impl DnsResolver for HickoryDns {
    async fn txt(&self, name: &str) -> Result<Vec<String>, DnsFault> {
        let fault = |cause: String| DnsFault { name: name.to_owned(), cause };
        // The dot at the end keeps the machine's own domains from being tried.
        match self.resolver.txt_lookup(format!("{name}.")).await {
            Ok(found) => Ok(found.answers().iter().filter_map(|record| text(&record.data)).collect()),
            Err(NetError::Dns(DnsError::NoRecordsFound(none)))
                if matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError) =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(fault(error.to_string())),
        }
    }
}

/// A record holds strings of up to 255 bytes, which belong together (RFC 7208, 3.3).
fn text(data: &RData) -> Option<String> {
    let RData::TXT(txt) = data else { return None };
    Some(txt.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect())
}
