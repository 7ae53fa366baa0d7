//! What would plain texts answer to commands on strings?

use crate::model::{Held, Model, canonical, count, optional, wrong_type};
use crate::support::Reply;

impl Model {
    pub(crate) fn run_on_string(
        &mut self,
        name: &str,
        key: &[u8],
        arguments: &[Vec<u8>],
    ) -> Result<Reply, Reply> {
        let old = || match self.keys.get(key) {
            Some((Held::Text { text, .. }, _)) => Ok(Some(text)),
            Some(_) => Err(wrong_type()),
            None => Ok(None),
        };
        match name {
            "SET" => {
                let deadline = arguments
                    .get(2)
                    .and_then(|ms| canonical(ms))
                    .map(|ms| self.now_ms.checked_add_signed(ms).expect("a test stays in range"));
                self.keys.insert(key.to_vec(), (Held::text(&arguments[0]), deadline));
                Ok(Reply::ok())
            }
            "GET" => Ok(optional(old()?)),
            "INCRBY" => {
                Self::add(None, &arguments[0], "")?;
                let not_a_number = "value is not an integer or out of range";
                let sum = Self::add(old()?, &arguments[0], not_a_number)?;
                let deadline = self.keys.get(key).and_then(|(_, deadline)| *deadline);
                let text = Held::text(sum.to_string().as_bytes());
                self.keys.insert(key.to_vec(), (text, deadline));
                Ok(Reply::Integer(sum))
            }
            "APPEND" | "SETRANGE" => {
                let (is_new, mut text) = match old()? {
                    Some(text) => (false, text.clone()),
                    None => (true, Vec::new()),
                };
                let (offset, part) = match arguments {
                    [offset, part] => (canonical(offset).expect("what a test sends is good"), part),
                    [part, ..] => (i64::try_from(text.len()).expect("a test stays in range"), part),
                    [] => unreachable!(),
                };
                let offset = usize::try_from(offset).expect("what a test sends is good");
                if name == "SETRANGE" && part.is_empty() {
                    return Ok(count(text.len()));
                }
                let end = offset + part.len();
                text.resize(text.len().max(end), 0);
                text[offset..end].copy_from_slice(part);
                let length = text.len();
                let deadline = self.keys.get(key).and_then(|(_, deadline)| *deadline);
                let is_raw = name == "SETRANGE" || !is_new;
                self.keys.insert(key.to_vec(), (Held::Text { text, is_raw }, deadline));
                Ok(count(length))
            }
            _ => unreachable!("{name}"),
        }
    }
}
