//! Which country an address is used in: networks of the operator's own file over built-in ones.
//!
//! Built in are a hand-checked excerpt of countries and, for everything else, the continent that the address's registry
//! mostly serves. A file (`dns.networks`) has the countries: the registries' own statistics files, or a table that
//! [`Reading::table`] made of them. They record who an address was given to, not where it is today.

mod compile;
mod read;
mod space;

use std::net::IpAddr;
use std::path::Path;

pub use compile::{nets, preference, region_of};
pub use read::Reading;
use space::Run;

use crate::error::{Error, ErrorContext, ErrorKind};
use crate::geography::{Continent, Country};
use crate::inventory::Inventory;

/// The largest file that is read, in bytes: all registries' files together have some 30 MB.
const LARGEST: u64 = 128 << 20;

const EXCERPT: &str = include_str!("excerpt.txt");
const REGISTRIES: &str = include_str!("registries.txt");

/// Where an address is used, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this country.
    Country(Country),
    /// On this continent, most likely: its registry serves it.
    Continent(Continent),
}

/// Networks, each with its place. No address is in two of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks {
    ipv4: Vec<Run>,
    ipv6: Vec<Run>,
}

impl Networks {
    /// The built-in ones.
    ///
    /// # Errors
    /// Never, unless the built-in files are broken.
    pub fn built_in() -> Result<Self, Error> {
        let registries = Reading::continents(REGISTRIES, "registries.txt")?;
        let excerpt = Reading::of(EXCERPT, "excerpt.txt")?;
        Ok(registries.networks().under(&excerpt.networks()))
    }

    /// The built-in ones below those of the inventory's file, where it names one.
    ///
    /// # Errors
    /// The file cannot be read, or is wrong, with its line.
    pub fn load(inventory: &Inventory) -> Result<Self, Error> {
        let built_in = Self::built_in()?;
        let file = inventory.dns.as_ref().and_then(|dns| dns.networks.as_ref());
        let Some(file) = file else {
            return Ok(built_in);
        };
        let path = inventory.resolve(file);
        let reading = Reading::of(&text(&path)?, &path.display().to_string())?;
        Ok(built_in.under(&reading.networks()))
    }

    /// The country of an address, where a country is known.
    pub fn country_of(&self, address: IpAddr) -> Option<Country> {
        match self.place_of(address)? {
            Place::Country(country) => Some(country),
            Place::Continent(_) => None,
        }
    }

    /// The place of an address; nothing for addresses that no registry gave to anybody.
    pub fn place_of(&self, address: IpAddr) -> Option<Place> {
        let (runs, number) = match address.to_canonical() {
            IpAddr::V4(address) => (&self.ipv4, u128::from(u32::from(address))),
            IpAddr::V6(address) => (&self.ipv6, u128::from(address)),
        };
        let after = runs.partition_point(|run| run.first <= number);
        let run = runs.get(after.checked_sub(1)?)?;
        (number <= run.last).then_some(run.place)
    }

    /// These, and in the place of what `above` has, that.
    #[must_use]
    pub fn under(&self, above: &Self) -> Self {
        Self {
            ipv4: space::overlay(&self.ipv4, &above.ipv4),
            ipv6: space::overlay(&self.ipv6, &above.ipv6),
        }
    }
}

/// A file's text.
///
/// # Errors
/// It cannot be read, is too large, or is no text.
pub fn text(path: &Path) -> Result<String, Error> {
    let what = || format!("cannot read the networks of {}", path.display());
    let size = std::fs::metadata(path)
        .context(ErrorKind::Input, what)?
        .len();
    if size > LARGEST {
        let large = crate::text::bytes(size);
        return Err(Error::new(ErrorKind::Input, what())
            .cause(format!(
                "it has {large}, and the registries' files together 30 MB"
            ))
            .hint(
                "name a registry's statistics file, or a table made by `geodeploy dns networks`",
            ));
    }
    std::fs::read_to_string(path)
        .context(ErrorKind::Input, what)
        .map_err(|error| error.hint("compressed files must be unpacked first: `gunzip FILE.gz`"))
}

#[cfg(test)]
mod tests;
