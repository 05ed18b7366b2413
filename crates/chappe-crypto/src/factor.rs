//! The proof of work of the key exchange: the two prime factors of `pq`.
//!
//! core.telegram.org/mtproto/auth_key#3-client-decomposes-pq-into-prime-factors-such-that-p-q

/// Splits `pq` into its two prime factors, the smaller one first.
///
/// Returns `None` if `pq` is not the product of two different primes or exceeds 2^63 - 1,
/// which Telegram never sends. The work is bounded: a hostile `pq` costs at most a few
/// milliseconds.
#[must_use]
pub fn factorize(pq: u64) -> Option<(u64, u64)> {
    if pq > u64::MAX >> 1 {
        return None;
    }
    if pq.is_multiple_of(2) {
        let q = pq / 2;
        return (q != 2 && is_prime(q)).then_some((2, q));
    }
    let root = pq.isqrt();
    if root * root == pq {
        return None;
    }
    let field = Montgomery::new(pq);
    let mut budget = BUDGET;
    let divisor = (1..=8).find_map(|c| rho(&field, c, &mut budget))?;
    let (p, q) = (divisor.min(pq / divisor), divisor.max(pq / divisor));
    (is_prime(p) && is_prime(q)).then_some((p, q))
}

/// The steps of all attempts together. A factor below 2^31.5 needs about 60,000 on average;
/// the chance that this many do not find it is below e^-64.
const BUDGET: u32 = 1 << 20;

/// Differences that are multiplied before a greatest common divisor is taken.
const BATCH: u32 = 128;

/// Searches a proper divisor of an odd composite by Pollard's rho method in Brent's form.
///
/// R. P. Brent, "An improved Monte Carlo factorization algorithm", BIT 20 (1980).
fn rho(field: &Montgomery, c: u64, budget: &mut u32) -> Option<u64> {
    let n = field.n;
    let c = field.enter(c);
    let step = |x: u64| field.add(field.mul(x, x), c);
    let mut y = field.enter(2);
    let mut length = 1_u32;
    loop {
        let x = y;
        for _ in 0..length {
            y = step(y);
        }
        let mut done = 0;
        while done < length {
            let batch = BATCH.min(length - done);
            *budget = budget.checked_sub(batch)?;
            let start = y;
            let mut product = field.one;
            for _ in 0..batch {
                y = step(y);
                product = field.mul(product, x.abs_diff(y));
            }
            match gcd(product, n) {
                1 => {}
                divisor if divisor != n => return Some(divisor),
                _ => {
                    // Both factors met in one batch: walk it again, one step at a time.
                    let mut y = start;
                    for _ in 0..batch {
                        y = step(y);
                        match gcd(x.abs_diff(y), n) {
                            1 => {}
                            divisor if divisor != n => return Some(divisor),
                            _ => return None,
                        }
                    }
                    return None;
                }
            }
            done += batch;
        }
        *budget = budget.checked_sub(length)?;
        length = length.checked_mul(2)?;
    }
}

/// Arithmetic modulo an odd number below 2^63, with numbers held as `x * 2^64 mod n`.
///
/// P. L. Montgomery, "Modular multiplication without trial division" (1985).
struct Montgomery {
    n: u64,
    /// `n^-1 mod 2^64`.
    inverse: u64,
    /// `2^64 mod n`, the form of 1.
    one: u64,
    /// `2^128 mod n`.
    square: u64,
}

impl Montgomery {
    fn new(n: u64) -> Self {
        // Newton's iteration doubles the correct bits: n is its own inverse modulo 8.
        let mut inverse = n;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(n.wrapping_mul(inverse)));
        }
        let one = (u64::MAX % n + 1) % n;
        let square = low(u128::from(one) * u128::from(one) % u128::from(n));
        Self { n, inverse, one, square }
    }

    fn enter(&self, x: u64) -> u64 {
        self.mul(x % self.n, self.square)
    }

    #[inline]
    fn mul(&self, a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        let m = low(product).wrapping_mul(self.inverse);
        let (high, reduced) = (high(product), high(u128::from(m) * u128::from(self.n)));
        let (difference, borrow) = high.overflowing_sub(reduced);
        if borrow { difference.wrapping_add(self.n) } else { difference }
    }

    #[inline]
    fn add(&self, a: u64, b: u64) -> u64 {
        let sum = a + b;
        if sum >= self.n { sum - self.n } else { sum }
    }

    fn pow(&self, base: u64, mut exponent: u64) -> u64 {
        let (mut result, mut base) = (self.one, base);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.mul(result, base);
            }
            base = self.mul(base, base);
            exponent >>= 1;
        }
        result
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low(x: u128) -> u64 {
    x as u64
}

fn high(x: u128) -> u64 {
    (x >> 64) as u64
}

/// Stein's binary greatest common divisor; `b` is odd.
fn gcd(mut a: u64, mut b: u64) -> u64 {
    if a == 0 {
        return b;
    }
    a >>= a.trailing_zeros();
    while a != b {
        if a > b {
            (a, b) = (b, a);
        }
        b -= a;
        b >>= b.trailing_zeros();
    }
    a
}

/// Miller and Rabin's test; these twelve bases decide every number below 2^64
/// (J. Sorenson and J. Webster, 2015). Takes numbers below 2^63.
fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 {
        return false;
    }
    for prime in BASES {
        if n.is_multiple_of(prime) {
            return n == prime;
        }
    }
    let field = Montgomery::new(n);
    let minus_one = n - field.one;
    let twos = (n - 1).trailing_zeros();
    BASES.iter().all(|&base| {
        let mut x = field.pow(field.enter(base), (n - 1) >> twos);
        if x == field.one || x == minus_one {
            return true;
        }
        (1..twos).any(|_| {
            x = field.mul(x, x);
            x == minus_one
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Noise;
    use rand_core::Rng;

    #[test]
    fn known_factors() {
        for (pq, p, q) in [
            (1_468_428_376_148_703_121, 1_008_949_199, 1_455_403_679),
            (1_470_626_929_934_143_021, 1_206_429_347, 1_218_991_343),
            (2_363_612_107_535_801_713, 1_518_968_219, 1_556_064_227),
            (2_804_275_833_720_261_793, 1_555_252_417, 1_803_100_129),
            (0x17ed_4894_1a08_f981, 0x494c_553b, 0x5391_1073),
            (6, 2, 3),
            (15, 3, 5),
            (10, 2, 5),
            (2 * 4_611_686_018_427_387_847, 2, 4_611_686_018_427_387_847),
            (3 * 3_074_457_345_618_258_599, 3, 3_074_457_345_618_258_599),
            // Close primes, and the largest 31-bit ones.
            (2_147_483_647 * 2_147_483_629, 2_147_483_629, 2_147_483_647),
            (3_037_000_493 * 3_037_000_453, 3_037_000_453, 3_037_000_493),
        ] {
            assert_eq!(factorize(pq), Some((p, q)), "{pq}");
        }
    }

    #[test]
    fn refuses_what_is_no_product_of_two_primes() {
        for pq in [
            0,
            1,
            2,
            3,
            4,
            5,
            8,
            9,
            12,
            16,
            27,
            30,
            105,
            2_147_483_647,
            2_147_483_647 * 2_147_483_647,
            3_037_000_493 * 3_037_000_493,
            1_000_003 * 1_000_033 * 1_000_037,
            2_097_143 * 2_097_143 * 2_097_143,
            9_223_372_036_854_775_783,
            1 << 62,
            1 << 63,
            (1 << 63) - 1,
            u64::MAX,
            4_294_967_291 * 4_294_967_279,
        ] {
            assert_eq!(factorize(pq), None, "{pq}");
        }
    }

    #[test]
    fn refuses_products_of_three_primes() {
        let primes: Vec<u64> = (2..100).filter(|n| is_prime(*n)).collect();
        for (at, p) in primes.iter().enumerate() {
            for (at, q) in primes.iter().enumerate().skip(at) {
                for r in &primes[at..] {
                    assert_eq!(factorize(p * q * r), None, "{p} {q} {r}");
                }
            }
        }
    }

    #[test]
    fn primes_agree_with_trial_division() {
        for n in 0..20_000_u64 {
            let divisible = (2..=n.isqrt()).any(|d| n.is_multiple_of(d));
            assert_eq!(is_prime(n), n > 1 && !divisible, "{n}");
        }
        // A strong pseudoprime to the first nine prime bases.
        assert!(!is_prime(3_825_123_056_546_413_051));
    }

    #[test]
    fn random_semiprimes() {
        let mut noise = Noise(7);
        let mut prime = |bits: u32| loop {
            let n = (noise.next_u64() >> (64 - bits)) | 1 | 1 << (bits - 1);
            if is_prime(n) {
                return n;
            }
        };
        for bits in 4..=31 {
            for _ in 0..20 {
                let (p, q) = (prime(bits), prime(31));
                if p != q {
                    assert_eq!(factorize(p * q), Some((p.min(q), p.max(q))));
                }
            }
        }
    }

    /// Without a divisor to find, a search ends when its budget does.
    #[test]
    fn the_search_is_bounded() {
        let mut budget = BUDGET;
        let prime = Montgomery::new(9_223_372_036_854_775_783);
        assert_eq!((1..=8).find_map(|c| rho(&prime, c, &mut budget)), None);
        assert!(budget < BUDGET / 2);
    }

    #[test]
    fn montgomery_agrees_with_plain_arithmetic() {
        let mut noise = Noise(1);
        for _ in 0..2_000 {
            let n = (noise.next_u64() >> 1) | 1;
            let field = Montgomery::new(n);
            let (a, b) = (noise.next_u64() % n, noise.next_u64() % n);
            let product = field.mul(field.mul(field.enter(a), field.enter(b)), 1);
            assert_eq!(u128::from(product), u128::from(a) * u128::from(b) % u128::from(n));
        }
    }
}
