//! How many bytes is that, for a person?

/// Bytes as Redis shows them to people: `200B`, `718.43K`, `23.54G`.
pub(super) fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];

    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let power = ((bytes.ilog2() / 10) as usize).min(UNITS.len());
    let amount = bytes as f64 / 1024_f64.powi(i32::try_from(power).unwrap_or(1));
    format!("{amount:.2}{}", UNITS[power - 1])
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn amounts_are_written_as_redis_writes_them() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (735_672, "718.43K"),
            (14_028_800, "13.38M"),
            (25_276_502_016, "23.54G"),
            (1 << 40, "1.00T"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
