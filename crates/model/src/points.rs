//! Secure Score points in their valid range.

use serde::{Deserialize, Serialize};
use std::iter::Sum;

/// Points as Microsoft counts them: finite, not negative, below a million.
///
/// Graph has sent −1 for a missing value in every numeric field of the report.
/// This type cannot hold such a number, so none reaches a graph.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct Points(f64);

/// A thousand times the real maximum of a tenant, some 1,500.
const LIMIT: f64 = 1_000_000.0;

/// Sums of decimal fractions carry noise in the last bits. No control awards
/// less than a millionth of a point.
const PRECISION: f64 = 1e6;

impl Points {
    /// No points.
    pub const ZERO: Self = Self(0.0);

    /// The number as points, where it is in the valid range.
    pub fn new(value: f64) -> Option<Self> {
        // `+ 0.0` turns a negative zero into zero.
        (0.0..LIMIT).contains(&value).then_some(Self(value + 0.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Points {
    type Error = &'static str;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value).ok_or("a number of points outside the valid range")
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        Self(rounded(points.map(Self::get).sum()))
    }
}

/// A sum or difference of points without floating-point noise.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * PRECISION).round() / PRECISION + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_the_valid_range_is_rejected() {
        for invalid in [-1.0, -0.01, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e6] {
            assert_eq!(Points::new(invalid), None, "{invalid}");
        }
        assert!(serde_json::from_str::<Points>("-1.0").is_err());
        assert_eq!(
            serde_json::from_str::<Points>("7.83").ok(),
            Points::new(7.83)
        );
    }

    #[test]
    fn fractions_and_zero_are_points() {
        assert_eq!(Points::new(7.83).map(Points::get), Some(7.83));
        assert!(Points::new(-0.0).is_some_and(|zero| zero.get().is_sign_positive()));
    }

    #[test]
    fn a_sum_carries_no_noise() {
        let tenth = Points::new(0.1).unwrap();
        let sum: Points = std::iter::repeat_n(tenth, 3).sum();
        assert_eq!(sum.get(), 0.3);
        assert!(rounded(-1e-9).is_sign_positive());
    }
}
