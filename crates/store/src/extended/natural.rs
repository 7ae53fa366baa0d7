//! How are natural numbers of any size multiplied, divided and shifted?

/// A natural number: its digits in base 2^32, the lowest first, the highest not 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Natural {
    digits: Vec<u32>,
}

impl From<u64> for Natural {
    fn from(number: u64) -> Self {
        let mut natural = Self { digits: [low(number), low(number >> 32)].to_vec() };
        natural.trim();
        natural
    }
}

impl Natural {
    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// How many binary digits it has.
    pub(super) fn bits(&self) -> usize {
        let unused = self.digits.last().map_or(0, |digit| digit.leading_zeros() as usize);
        self.digits.len() * 32 - unused
    }

    /// Multiplies by `factor`, then adds `more`.
    pub(super) fn multiply_add(&mut self, factor: u32, more: u32) {
        let mut carry = more;
        for digit in &mut self.digits {
            let product = u64::from(*digit) * u64::from(factor) + u64::from(carry);
            *digit = low(product);
            carry = low(product >> 32);
        }
        if carry != 0 {
            self.digits.push(carry);
        }
    }

    /// Multiplies by 10^`exponent`.
    pub(super) fn scale_up(&mut self, exponent: usize) {
        each_power_of_ten(exponent, |power| self.multiply_add(power, 0));
    }

    /// Divides by 10^`exponent`; says whether there was a remainder.
    pub(super) fn scale_down(&mut self, exponent: usize) -> bool {
        let mut is_inexact = false;
        each_power_of_ten(exponent, |power| is_inexact |= self.divide(power) != 0);
        is_inexact
    }

    /// It times 2^`bits`.
    pub(super) fn shifted(mut self, bits: usize) -> Self {
        self.multiply_add(1 << (bits % 32), 0);
        if !self.is_zero() {
            self.digits.splice(0..0, std::iter::repeat_n(0, bits / 32));
        }
        self
    }

    /// Its upper digits, at least 65 binary ones if it has so many, what power of two they are to be
    /// multiplied by, and whether something lies below them.
    pub(super) fn upper(&self) -> (u128, usize, bool) {
        let (below, upper) = self.digits.split_at(self.digits.len().saturating_sub(4));
        let number = upper.iter().rev().fold(0, |number, &digit| number << 32 | u128::from(digit));
        (number, below.len() * 32, below.iter().any(|&digit| digit != 0))
    }

    pub(super) fn into_decimal(mut self) -> String {
        let mut groups = Vec::new();
        while !self.is_zero() {
            groups.push(self.divide(1_000_000_000));
        }
        let mut text = groups.pop().unwrap_or(0).to_string();
        text.extend(groups.iter().rev().map(|group| format!("{group:09}")));
        text
    }

    /// Divides by `divisor` and returns the remainder.
    fn divide(&mut self, divisor: u32) -> u32 {
        let mut remainder = 0;
        for digit in self.digits.iter_mut().rev() {
            let dividend = u64::from(remainder) << 32 | u64::from(*digit);
            *digit = low(dividend / u64::from(divisor));
            remainder = low(dividend % u64::from(divisor));
        }
        self.trim();
        remainder
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
    }
}

/// Calls `multiply` with powers of ten whose product is 10^`exponent`.
fn each_power_of_ten(exponent: usize, mut multiply: impl FnMut(u32)) {
    (0..exponent / 9).for_each(|_| multiply(1_000_000_000));
    (0..exponent % 9).for_each(|_| multiply(10));
}

fn low(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
