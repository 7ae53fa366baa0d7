//! How is a figure written for a person?

/// A count with a comma between groups of three digits.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.char_indices() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate with three digits and a prefix of a thousand: `9.81 M`, `512 k`, `73.0`.
pub(crate) fn rate(value: f64) -> String {
    scaled(value, &[(1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")])
}

/// A time in nanoseconds with three digits and its unit: `1.90 µs`.
pub(crate) fn nanoseconds(value: f64) -> String {
    scaled(value, &[(1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1.0, " ns")])
}

/// A part of the whole: `99.97 %`.
pub(crate) fn percent(part: f64) -> String {
    format!("{:.2} %", part * 100.0)
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    // Three digits round up to the next unit a little before it: 999.7 is 1.00 k.
    let fitting = units.iter().find(|(size, _)| value >= size * 0.9995);
    let (size, unit) = fitting.or(units.last()).copied().unwrap_or((1.0, ""));
    let value = value / size;
    let decimals = if value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        assert_eq!(rate(9_812_345.0), "9.81 M");
        assert_eq!(rate(512_300.0), "512 k");
        assert_eq!(rate(73.04), "73.0");
        assert_eq!(rate(0.0), "0.00");
        assert_eq!(rate(999_700.0), "1.00 M");
        assert_eq!(rate(99_960.0), "100 k");
        assert_eq!(nanoseconds(1_900.0), "1.90 µs");
        assert_eq!(nanoseconds(1_400_000.0), "1.40 ms");
        assert_eq!(nanoseconds(999.6), "1.00 µs");
        assert_eq!(nanoseconds(80.0), "80.0 ns");
        assert_eq!(nanoseconds(61e9), "61.0 s");
        assert_eq!(percent(0.999_66), "99.97 %");
        assert_eq!((count(7), count(1_234_567)), ("7".to_owned(), "1,234,567".to_owned()));
    }
}
