//! The flags that divide the tenants among exporters.

use clap::Args;
use std::num::NonZeroU16;
use std::str::FromStr;

use super::number::number;
use crate::config::Environment;
use crate::refresh::{NoSuchShard, Shard};

/// The share of the tenants that this exporter watches.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sharding")]
pub struct ShardFlags {
    /// Watch only this shard of the tenants: 0 to --total-shards minus 1, or auto for the ordinal at the end of the pod's name
    #[arg(long, value_name = "N|auto")]
    shard: Option<ShardNumber>,

    /// The number of shards
    #[arg(long, value_name = "N", requires = "shard",
          value_parser = number(NonZeroU16::MIN.., "3"), allow_negative_numbers = true)]
    total_shards: Option<NonZeroU16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShardNumber {
    Fixed(u16),
    Auto,
}

impl FromStr for ShardNumber {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            number => number.parse().map(Self::Fixed).map_err(
                |_| "not a shard; count shards from 0, such as 0 for the first one, or write auto",
            ),
        }
    }
}

/// Why the flags name no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// `--shard` alone.
    #[error("--shard needs --total-shards, the number of exporters that share the tenants")]
    NoTotal,
    /// A number beyond the last shard.
    #[error("--shard: {0}")]
    NoSuchShard(#[from] NoSuchShard),
    /// The pod's name has no ordinal.
    #[error(
        "--shard=auto: neither POD_NAME nor HOSTNAME ends in an ordinal such as -0; run as a StatefulSet, or set the number"
    )]
    NoOrdinal,
}

impl ShardFlags {
    /// The shard; the whole without flags.
    ///
    /// A StatefulSet numbers its pods `name-0`, `name-1` and so on. Kubernetes
    /// sets `HOSTNAME` to the pod's name; a manifest may set `POD_NAME`.
    pub fn resolve(&self, environment: &Environment) -> Result<Shard, ShardError> {
        let Some(shard) = self.shard else {
            return Ok(Shard::WHOLE);
        };
        let total = self.total_shards.ok_or(ShardError::NoTotal)?;
        let index = match shard {
            ShardNumber::Fixed(index) => index,
            ShardNumber::Auto => ordinal(environment).ok_or(ShardError::NoOrdinal)?,
        };
        Ok(Shard::new(index, total)?)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shard.is_none() && self.total_shards.is_none()
    }
}

fn ordinal(environment: &Environment) -> Option<u16> {
    let names = ["POD_NAME", "HOSTNAME"];
    let mut known = names.into_iter().filter_map(|name| environment.get(name));
    let (_, ordinal) = known.next()?.rsplit_once('-')?;
    ordinal.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(
        shard: &str,
        total: Option<u16>,
        pod: Option<(&str, &str)>,
    ) -> Result<(u16, u16), ShardError> {
        let flags = ShardFlags {
            shard: Some(shard.parse().unwrap()),
            total_shards: total.and_then(NonZeroU16::new),
        };
        let variables = pod.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let shard = flags.resolve(&variables.into_iter().collect())?;
        Ok((shard.index(), shard.total()))
    }

    #[test]
    fn the_number_comes_from_the_flag_or_the_pods_name() {
        assert_eq!(resolved("2", Some(3), None), Ok((2, 3)));
        let pod = Some(("HOSTNAME", "secure-score-exporter-1"));
        assert_eq!(resolved("auto", Some(3), pod), Ok((1, 3)));
        let pod = Some(("POD_NAME", "exporter-0"));
        assert_eq!(resolved("auto", Some(3), pod), Ok((0, 3)));
    }

    #[test]
    fn an_impossible_shard_is_reported_with_a_fix() {
        assert_eq!(resolved("0", None, None), Err(ShardError::NoTotal));
        let pod = Some(("HOSTNAME", "laptop"));
        assert_eq!(resolved("auto", Some(2), pod), Err(ShardError::NoOrdinal));
        let beyond = resolved("2", Some(2), None).unwrap_err().to_string();
        assert!(beyond.contains("no shard 2 of 2"), "{beyond}");
        assert!("two".parse::<ShardNumber>().is_err());
    }
}
