//! Secure Score points, known to be a sane number.

/// Points as Microsoft counts them: finite, not negative, not absurd.
///
/// Graph has sent −1 for "no value" in every numeric field of the report at
/// one time or another. Such a number must never reach a graph, so it cannot
/// be held here at all.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Points(f64);

/// A tenant's real maximum is some 1,500; a thousand times that is a fault.
const ABSURD: f64 = 1_000_000.0;

/// Sums of decimal fractions carry noise in the last bits; nobody awards less
/// than a millionth of a point.
const MEANT_PER_POINT: f64 = 1e6;

impl Points {
    /// No points at all.
    pub const ZERO: Self = Self(0.0);

    /// The number as points, or nothing when it cannot be meant.
    pub fn new(value: f64) -> Option<Self> {
        // `+ 0.0` turns a negative zero into zero.
        (value.is_finite() && (0.0..ABSURD).contains(&value)).then_some(Self(value + 0.0))
    }

    /// The bare number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl std::iter::Sum for Points {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        Self(rounded(points.map(Self::get).sum()))
    }
}

impl<'a> std::iter::Sum<&'a Self> for Points {
    fn sum<I: Iterator<Item = &'a Self>>(points: I) -> Self {
        points.copied().sum()
    }
}

/// A sum or difference of points, freed of floating-point noise.
pub(super) fn rounded(value: f64) -> f64 {
    (value * MEANT_PER_POINT).round() / MEANT_PER_POINT + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_nothing() {
        for odd in [-1.0, -0.01, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e9] {
            assert_eq!(Points::new(odd), None, "{odd}");
        }
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
    }
}
