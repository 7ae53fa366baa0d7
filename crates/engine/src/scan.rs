//! How is everything gone through, a page at a time?

use crate::client::Client;
use crate::error::EngineError;
use crate::read::FieldValue;

/// The keys of a database, one after another: [`Client::scan`].
///
/// A key that is there from the beginning to the end is met once at least; one that comes or goes
/// meanwhile may be met or not. Nothing is held between two pages.
#[derive(Debug)]
pub struct Scan {
    client: Client,
    options: Vec<Vec<u8>>,
    pages: Pages<Vec<u8>>,
}

/// The fields of a hash, one after another: [`Client::hscan`]. What holds for keys in [`Scan`] holds
/// here for fields.
#[derive(Debug)]
pub struct HashScan {
    client: Client,
    key: Vec<u8>,
    pages: Pages<FieldValue>,
}

#[derive(Debug)]
struct Pages<T> {
    /// `None` after the last page.
    cursor: Option<u64>,
    page: std::vec::IntoIter<T>,
}

/// About how many a page has.
const PAGE: u32 = 128;

impl Client {
    /// Goes through all keys of this database.
    ///
    /// ```
    /// # let engine = hectare_engine::Engine::builder().shards(2).build()?;
    /// # let client = engine.client();
    /// client.hset("user:1", [("name", "Ada")])?;
    /// client.set("motd", "hello")?;
    /// let users: Vec<Vec<u8>> = client.scan().matching("user:*").collect::<Result<_, _>>()?;
    /// assert_eq!(users, [b"user:1"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn scan(&self) -> Scan {
        let options = vec![b"COUNT".to_vec(), PAGE.to_string().into_bytes()];
        Scan { client: self.clone(), options, pages: Pages::new() }
    }

    /// Goes through the fields of a hash, with their values.
    #[must_use]
    pub fn hscan(&self, key: impl AsRef<[u8]>) -> HashScan {
        HashScan { client: self.clone(), key: key.as_ref().to_vec(), pages: Pages::new() }
    }
}

impl Scan {
    /// Only keys that match a pattern of Redis' kind (`user:*`).
    #[must_use]
    pub fn matching(mut self, pattern: impl AsRef<[u8]>) -> Self {
        self.options.extend([b"MATCH".to_vec(), pattern.as_ref().to_vec()]);
        self
    }

    /// Only keys that hold a value of this type: `hash` or `string`.
    #[must_use]
    pub fn of_type(mut self, type_name: &str) -> Self {
        self.options.extend([b"TYPE".to_vec(), type_name.as_bytes().to_vec()]);
        self
    }
}

impl Iterator for Scan {
    type Item = Result<Vec<u8>, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let options: Vec<&[u8]> = self.options.iter().map(Vec::as_slice).collect();
        self.pages.next(|cursor| self.client.scan_page(cursor, &options))
    }
}

impl Iterator for HashScan {
    type Item = Result<FieldValue, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pages.next(|cursor| self.client.hscan_page(&self.key, cursor, PAGE))
    }
}

impl<T> Pages<T> {
    fn new() -> Self {
        Self { cursor: Some(0), page: Vec::new().into_iter() }
    }

    /// After an error it goes on with the page that failed.
    fn next(
        &mut self,
        mut turn: impl FnMut(u64) -> Result<(u64, Vec<T>), EngineError>,
    ) -> Option<Result<T, EngineError>> {
        loop {
            if let Some(item) = self.page.next() {
                return Some(Ok(item));
            }
            let (next, page) = match turn(self.cursor?) {
                Ok(turned) => turned,
                Err(error) => return Some(Err(error)),
            };
            self.cursor = (next != 0).then_some(next);
            self.page = page.into_iter();
        }
    }
}
