//! Numbers on the command line.

use std::fmt::Display;
use std::ops::{Bound, RangeBounds};
use std::str::FromStr;

/// A parser of whole numbers in a range, whose error says what is allowed and gives an
/// example.
pub(super) fn number<T>(
    range: impl RangeBounds<T> + Clone + Send + Sync + 'static,
    example: &'static str,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display,
{
    move |text| {
        let number = text.parse().ok().filter(|it| range.contains(it));
        number.ok_or_else(|| {
            let least = bound("from", range.start_bound());
            let most = bound("to", range.end_bound());
            format!("use a whole number{least}{most}, such as {example}")
        })
    }
}

fn bound(word: &str, bound: Bound<&impl Display>) -> String {
    match bound {
        Bound::Included(number) => format!(" {word} {number}"),
        Bound::Excluded(_) | Bound::Unbounded => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    #[test]
    fn a_number_outside_its_range_is_refused_with_the_range_and_an_example() {
        let days = number(1..=180_u16, "90");
        assert_eq!([days("1"), days("180")], [Ok(1), Ok(180)]);
        for bad in ["0", "181", "-5", "5m", "", "99999999"] {
            let error = days(bad).unwrap_err();
            assert_eq!(
                error, "use a whole number from 1 to 180, such as 90",
                "{bad}"
            );
        }
        let last = number(NonZeroUsize::MIN.., "3");
        assert_eq!(
            last("0").unwrap_err(),
            "use a whole number from 1, such as 3"
        );
    }
}
