//! Has something like this been seen before?

/// Remembers some hundred of the last things seen, by their hashes, and how often: enough to tell
/// what comes again and again from what never does, in bounded room. Things that share a place drive
/// each other out.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    /// Hash and times; none before the first sighting.
    places: Vec<(u32, u8)>,
}

impl Sightings {
    const PLACES: usize = if cfg!(feature = "tiny") { 16 } else { 1024 };

    /// Notes a sighting; returns how many there were, this one included, as far as remembered.
    pub(crate) fn note(&mut self, sign: u64) -> u8 {
        if self.places.is_empty() {
            self.places = vec![(0, 0); Self::PLACES];
        }
        let [low, high] = [sign & 0xffff_ffff, sign >> 32];
        let place = usize::try_from(low).unwrap_or(0) % Self::PLACES;
        let (seen, times) = &mut self.places[place];
        let high = u32::try_from(high).unwrap_or(0);
        if *seen == high && *times > 0 {
            *times = times.saturating_add(1);
        } else {
            (*seen, *times) = (high, 1);
        }
        *times
    }

    /// What it takes of the process' own memory.
    pub(crate) fn book_bytes(&self) -> usize {
        self.places.capacity() * size_of::<(u32, u8)>()
    }
}
