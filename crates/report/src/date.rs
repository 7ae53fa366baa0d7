//! Which day is it, in UTC?

use std::time::{Duration, SystemTime};

const DAY_SECONDS: u64 = 86_400;
/// Days of four hundred years, after which the calendar repeats itself.
const ERA_DAYS: u64 = 146_097;
/// From 1 March of the year 0 to 1 January 1970.
const EPOCH_OFFSET_DAYS: u64 = 719_468;

/// The day as `2026-11-23`.
pub(crate) fn iso_date(time: SystemTime) -> String {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (year, month, day) = civil(since_epoch.as_secs() / DAY_SECONDS);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a day counted from 1 January 1970, after Howard Hinnant's
/// `civil_from_days` (chrono-compatible low-level date algorithms): years are counted from March,
/// so that the leap day comes last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH_OFFSET_DAYS;
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_of_two_thousand_years_follow_each_other() {
        let mut expected = (1970, 1, 1);
        for days in 0..ERA_DAYS * 5 {
            assert_eq!(civil(days), expected);
            let (year, month, day) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let month_days = match month {
                2 => 28 + u64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                _ if day == month_days => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
    }

    #[test]
    fn a_date_is_written_as_iso_8601() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_395_600);
        assert_eq!(iso_date(time), "2026-11-23");
    }
}
