//! How is a number written for a person?

const KIB: f64 = 1024.0;

/// Bytes in the largest fitting binary unit, with two digits at least: `4.2 GiB`, `15 GiB`.
pub(crate) fn bytes(amount: f64) -> String {
    let mut value = amount;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        // What would be written as 1024 of a unit is written as 1.0 of the next.
        if value.abs() < KIB - 0.5 {
            break;
        }
        value /= KIB;
        unit = next;
    }
    if unit == "B" || value.abs() >= 9.95 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// A count with a comma between its thousands: `200,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number rounded to three decimals, as files hold it.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_the_largest_unit_that_fits_and_keep_two_digits() {
        assert_eq!(bytes(0.0), "0 B");
        assert_eq!(bytes(1023.0), "1023 B");
        assert_eq!(bytes(1023.6), "1.0 KiB");
        assert_eq!(bytes(1536.0), "1.5 KiB");
        assert_eq!(bytes(15.4 * KIB * KIB * KIB), "15 GiB");
        assert_eq!(bytes(9.96 * KIB * KIB), "10 MiB");
        assert_eq!(bytes(-2048.0), "-2.0 KiB");
    }

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
    }
}
