// What has to be ended behind a test: what began last ends first.

const ends = new WeakMap();

/** Has `end` called when the test is over. All are called; the first that fails, fails the test. */
export function atEnd(t, end) {
    const known = ends.get(t);
    if (known !== undefined) {
        known.push(end);
        return;
    }
    const stack = [end];
    ends.set(t, stack);
    t.after(async () => {
        const failures = [];
        for (const end of stack.reverse()) {
            await Promise.resolve().then(end).catch((error) => failures.push(error));
        }
        if (failures.length > 0) {
            throw failures[0];
        }
    });
}
