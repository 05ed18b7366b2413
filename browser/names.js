// What people and bots are called, and what chance makes of a text.

/** Values that a careless decoder changes. */
export const AWKWARD = [
    "Ada",
    "Exämple & Co",
    "a=b&c=d",
    "100 % + 1",
    "%26hash=0",
    '"quoted" \\ and / slashed',
    "<img src=x onerror=alert(1)>",
    "日本語 עברית",
    "👩‍💻 at work",
    " two  blanks ",
    "id: 7",
];

/** Numbers from a seed (mulberry32), the same on every machine. */
export function dice(seed) {
    let state = seed >>> 0;
    const next = () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return (mixed ^ (mixed >>> 14)) >>> 0;
    };
    return { below: (bound) => next() % bound, of: (list) => list[next() % list.length] };
}

/** The text with one character changed, taken out, put in or moved. */
export function damaged(text, chance) {
    const at = chance.below(text.length);
    const letter = chance.of([..."abcxyz0189=&%+_"]);
    return chance.of([
        () => text.slice(0, at) + letter + text.slice(at + 1),
        () => text.slice(0, at) + text.slice(at + 1),
        () => text.slice(0, at) + letter + text.slice(at),
        () => text.slice(at) + text.slice(0, at),
    ])();
}
