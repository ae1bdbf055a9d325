//! Leaves of an event, and what a pattern compares them with.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::ops::{Bound, RangeBounds};

use serde_json::{Number, Value};

use super::wildcard::Wildcard;

/// A leaf of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'e> {
    Null,
    Bool(bool),
    Number(Real),
    Text(&'e str),
}

impl<'e> Scalar<'e> {
    /// The leaf that `value` is; arrays and objects are none.
    pub(super) fn of(value: &'e Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Null),
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Number(number) => Real::of(number).map(Self::Number),
            Value::String(text) => Some(Self::Text(text)),
            Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// One thing that a leaf may be.
#[derive(Clone, Debug)]
pub(super) enum Comparison {
    Null,
    Bool(bool),
    Number(Real),
    Range(Bound<Real>, Bound<Real>),
    Text(String),
    Prefix(String),
    Suffix(String),
    TextInAnyCase(CaseFolded),
    PrefixInAnyCase(CaseFolded),
    SuffixInAnyCase(CaseFolded),
    Wildcard(Wildcard),
    Network(Network),
}

impl Comparison {
    /// Whether `leaf` is what this says; a leaf of another type never is.
    pub(super) fn holds(&self, leaf: Scalar<'_>) -> bool {
        match (self, leaf) {
            (Self::Null, Scalar::Null) => true,
            (Self::Bool(wanted), Scalar::Bool(value)) => *wanted == value,
            (Self::Number(wanted), Scalar::Number(value)) => *wanted == value,
            (Self::Range(lower, upper), Scalar::Number(value)) => (*lower, *upper).contains(&value),
            (_, Scalar::Text(text)) => self.holds_for_text(text),
            _ => false,
        }
    }

    fn holds_for_text(&self, text: &str) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Range(..) => false,
            Self::Text(wanted) => wanted == text,
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::TextInAnyCase(wanted) => wanted.equals(text),
            Self::PrefixInAnyCase(prefix) => prefix.begins(text),
            Self::SuffixInAnyCase(suffix) => suffix.ends(text),
            Self::Wildcard(wildcard) => wildcard.matches(text),
            Self::Network(network) => text.parse().is_ok_and(|address| network.contains(address)),
        }
    }
}

/// A JSON number, compared by value. Integers keep all 64 bits: as floating point, neighbouring ids would be equal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Real {
    Integer(i128),
    /// Finite, as JSON has nothing else.
    Float(f64),
}

impl Real {
    /// `None` if no finite number stands for it, which can't happen to one that `serde_json` parsed.
    pub(super) fn of(number: &Number) -> Option<Self> {
        let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        integer
            .map(Self::Integer)
            .or_else(|| number.as_f64().filter(|float| float.is_finite()).map(Self::Float))
    }
}

impl Ord for Real {
    fn cmp(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            (Self::Integer(a), Self::Float(b)) => integer_and_float(a, b),
            (Self::Float(a), Self::Integer(b)) => integer_and_float(b, a).reverse(),
            // Both finite, so always comparable; and unlike `total_cmp`, this has -0 equal to 0.
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        }
    }
}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Real {}

fn integer_and_float(integer: i128, float: f64) -> Ordering {
    let whole = float.trunc();
    // The cast saturates beyond 128 bits, where the float is further out than any of JSON's 64-bit integers.
    #[allow(clippy::cast_possible_truncation)]
    integer.cmp(&(whole as i128)).then_with(|| 0.0_f64.total_cmp(&(float - whole)))
}

/// Text compared without regard to case: each character by its lower case.
#[derive(Clone, Debug)]
pub(super) struct CaseFolded(String);

impl CaseFolded {
    pub(super) fn of(text: &str) -> Self {
        Self(folded(text).collect())
    }

    /// Whether `text` is this.
    fn equals(&self, text: &str) -> bool {
        folded(text).eq(self.0.chars())
    }

    /// Whether `text` begins with this.
    fn begins(&self, text: &str) -> bool {
        let mut text = folded(text);
        self.0.chars().all(|c| text.next() == Some(c))
    }

    /// Whether `text` ends with this.
    fn ends(&self, text: &str) -> bool {
        let mut text = folded(text).rev();
        self.0.chars().rev().all(|c| text.next() == Some(c))
    }
}

fn folded(text: &str) -> impl DoubleEndedIterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// A block of IP addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    address: IpAddr,
    /// How many leading bits of `address` the block's addresses share; at most all of them.
    bits: u32,
}

impl Network {
    /// Reads `address/bits`; the error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (address, bits) = text.split_once('/').ok_or("has no /; write a block such as 10.0.0.0/24")?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| "has no IPv4 or IPv6 address before the /; write a block such as 10.0.0.0/24")?;
        let bits: u32 = bits
            .parse()
            .map_err(|_| "has no number of bits after the /; write a block such as 10.0.0.0/24")?;
        match address {
            IpAddr::V4(_) if bits > 32 => Err("has too many bits; an IPv4 address has 32"),
            IpAddr::V6(_) if bits > 128 => Err("has too many bits; an IPv6 address has 128"),
            _ => Ok(Self { address, bits }),
        }
    }

    fn contains(self, address: IpAddr) -> bool {
        // Shifting out every bit gives None: a block of 0 bits holds all addresses of its kind.
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits())
                .checked_shr(32 - self.bits)
                .is_none_or(|difference| difference == 0),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits())
                .checked_shr(128 - self.bits)
                .is_none_or(|difference| difference == 0),
            _ => false,
        }
    }
}
