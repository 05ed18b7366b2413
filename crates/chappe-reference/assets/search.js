// The search of the method reference: sets `chappeSearch(query, limit)`, which gives hits of the form
// { kind, name, about, address, why }, the likeliest first. It works on `chappeSearchIndex` of
// search-index.js, which is loaded before. crates/chappe-reference/src/search.rs is the same algorithm and
// says why; both give the same order, letter by letter.
(() => {
  'use strict';

  const PARTLY = 1e6, FAR = 2e6, SAID = 3e6, MISTYPED = 4e6, NAMED = 5e6, INSIDE = 6e6, BEGUN = 7e6,
    ELSEWHERE = 75e5, SAME = 8e6, CALLED = 85e5, EXACT = 9e6, ID = 10e6;
  const IN_NAME = 4, IN_FRONT = 3, IN_ABOUT = 2, IN_PARAM = 1, WEIGHT = 8;
  const AS_IT_IS = 4, ALIKE = 2, MOST = IN_NAME * AS_IT_IS;
  const LETTERS = 128, WORDS = 8;

  const isDigit = (c) => c >= '0' && c <= '9';
  const isSmall = (c) => c >= 'a' && c <= 'z';
  const isBig = (c) => c >= 'A' && c <= 'Z';
  const isPlain = (c) => isDigit(c) || isSmall(c) || isBig(c);
  const small = (text) => text.replace(/[A-Z]/g, (c) => c.toLowerCase());
  const compact = (text) => small(text.replace(/[^A-Za-z0-9]/g, ''));

  const wordsOf = (text) => {
    const words = [];
    let word = '';
    for (let i = 0; i < text.length; i++) {
      const c = text[i], before = text[i - 1] ?? '', after = text[i + 1] ?? '';
      const hump = isBig(c) && (isSmall(before) || isBig(before) && isSmall(after));
      if ((hump || !isPlain(c)) && word) {
        words.push(word);
        word = '';
      }
      if (isPlain(c)) word += small(c);
    }
    if (word) words.push(word);
    return words;
  };

  const undouble = (stem) => {
    const last = stem[stem.length - 1];
    return last === stem[stem.length - 2] && !'lsz'.includes(last) ? stem.slice(0, -1) : stem;
  };

  const cutOff = (word) => {
    let stem = word;
    const ends = (...endings) => endings.some((ending) => stem.endsWith(ending));
    if (stem.length > 4 && ends('ies')) stem = stem.slice(0, -3) + 'y';
    else if (stem.length > 4 && ends('sses', 'xes', 'ches', 'shes', 'zes')) stem = stem.slice(0, -2);
    else if (stem.length > 3 && ends('s') && !ends('ss', 'us', 'is')) stem = stem.slice(0, -1);
    if (stem.length > 9 && ends('ation')) stem = stem.slice(0, -5);
    else if (stem.length > 5 && ends('ing')) stem = undouble(stem.slice(0, -3));
    else if (stem.length > 4 && ends('ed')) stem = undouble(stem.slice(0, -2));
    if (stem.length > 4 && ends('e')) stem = stem.slice(0, -1);
    if (stem.length > 5 && ends('is')) stem = stem.slice(0, -1) + 'z';
    return stem;
  };

  // A word comes often, and its stem is cut once.
  const cut = new Map();
  const stemOf = (word) => {
    if (!cut.has(word)) cut.set(word, cutOff(word));
    return cut.get(word);
  };

  // -1 for more than the limit. Only the cells near the diagonal can be within it.
  const rows = [0, 1, 2].map(() => new Uint8Array(LETTERS + 8));
  const distance = (typed, name, limit) => {
    const width = Math.min(name.length, typed.length + limit), far = limit + 1;
    if (typed.length > width + limit) return -1;
    let [above, row, next] = rows;
    for (let j = 0; j <= Math.min(limit + 1, width); j++) row[j] = j;
    for (let i = 1; i <= typed.length; i++) {
      const first = Math.max(1, i - limit), last = Math.min(width, i + limit);
      const letter = typed.charCodeAt(i - 1), before = typed.charCodeAt(i - 2);
      next[first - 1] = first === 1 ? i : far;
      let least = next[first - 1];
      for (let j = first; j <= last; j++) {
        const other = name.charCodeAt(j - 1), same = letter === other ? 0 : 1;
        let cost = Math.min(row[j - 1] + same, row[j] + 1, next[j - 1] + 1);
        if (same && i > 1 && j > 1 && before === other && letter === name.charCodeAt(j - 2)) {
          cost = Math.min(cost, above[j - 2] + 1);
        }
        next[j] = cost;
        if (cost < least) least = cost;
      }
      if (last < width) next[last + 1] = far;
      if (least > limit) return -1;
      [above, row, next] = [row, next, above];
    }
    let least = far;
    for (let j = Math.max(0, typed.length - limit); j <= width; j++) least = Math.min(least, row[j]);
    return least <= limit ? least : -1;
  };

  const lettersOf = (key) => {
    let bits = 0;
    for (const c of key) if (isSmall(c)) bits |= 1 << (c.charCodeAt(0) - 97);
    return bits;
  };
  const countOnes = (bits) => {
    let count = 0;
    for (let left = bits >>> 0; left; left &= left - 1) count++;
    return count;
  };

  let joins, meanings, called, elsewhere, extra, stops, noise, tails, things, stems, params, sorted;

  const joined = (one, other) => joins.get(one + ' ' + other);

  const prepare = (data) => {
    joins = new Map(data.joined.map(([[one, other], both]) => [one + ' ' + other, both]));
    meanings = new Map(Object.entries(data.meant));
    called = new Map(Object.entries(data.called));
    elsewhere = new Map(data.elsewhere.split(',').map((line) => {
      const [call, ...made] = line.split(' ');
      return [call, made.map((number) => parseInt(number, 36))];
    }));
    extra = data.extra;
    stops = new Set(data.stops);
    noise = new Set(data.noise.split(' '));
    tails = data.tails.split(' ');
    things = [];
    stems = new Map();
    params = new Map();
    const names = data.names.split('\n'), abouts = data.abouts.split('\n');
    const ids = data.ids.split(','), uses = data.uses.split(','), codes = data.codes.split(',');
    const dictionary = data.params.split(' ');
    let name = '', defined = 0, coded = 0, guides = 0;
    for (const [kind, folder, rank, count] of data.kinds) {
      for (let i = 0; i < count; i++) {
        const number = things.length, line = names[number];
        name = name.slice(0, line.charCodeAt(0) - 48) + line.slice(1);
        const thing = { kind, folder, rank, name, about: abouts[number], id: null, params: [] };
        thing.weight = parseInt(data.weights[number], 36);
        thing.anchor = kind === 'guide' ? data.anchors[guides++] : '';
        const dot = name.indexOf('.');
        const named = wordsOf(name.slice(dot + 1)), front = wordsOf(name.slice(0, Math.max(dot, 0)));
        thing.key = compact(name);
        thing.short = front.join('').length;
        thing.letters = lettersOf(thing.key);
        thing.humps = [];
        let place = 0;
        for (const word of [...front, ...named]) {
          thing.humps.push(place);
          place += word.length;
        }
        if (kind === 'method' || kind === 'constructor') {
          thing.id = parseInt(ids[defined], 36);
          const used = uses[defined++];
          if (used) thing.params = used.split(' ').map((use) => dictionary[parseInt(use, 36)]);
        }
        if (kind === 'error') named.push(codes[coded++].replace('-', ''));
        if (kind === 'layer') named.push('layer');
        const own = new Map();
        const add = (words, weight) => {
          const bare = words.map(stemOf);
          for (let j = 0; j + 1 < bare.length; j++) {
            const both = joined(bare[j], bare[j + 1]);
            if (both && !own.has(both)) own.set(both, weight);
          }
          for (const word of bare) if (!stops.has(word) && !own.has(word)) own.set(word, weight);
        };
        add(named, IN_NAME);
        add(front, IN_FRONT);
        add(wordsOf(thing.about), IN_ABOUT);
        for (const param of thing.params) add(wordsOf(param), IN_PARAM);
        for (const [stem, weight] of own) {
          if (!stems.has(stem)) stems.set(stem, []);
          stems.get(stem).push([number, weight]);
        }
        for (const param of thing.params) {
          const key = compact(param);
          if (!params.has(key)) params.set(key, []);
          params.get(key).push([number, param]);
        }
        things.push(thing);
      }
    }
    sorted = [...stems.keys()].sort();
  };

  const formsOf = (query) => {
    const pieces = query.split(/[^A-Za-z0-9]+/).filter(Boolean).map(small);
    let skip = 0;
    while (skip < pieces.length - 1 && noise.has(pieces[skip])) skip++;
    const isNumber = (piece) => /^[0-9]+$/.test(piece);
    const forms = [pieces.join(''), pieces.slice(skip).join('')];
    for (const form of [...forms]) {
      for (const tail of tails) {
        if (form.endsWith(tail) && form.length - tail.length >= 3) {
          forms.push(form.slice(0, -tail.length));
        }
      }
    }
    if (!pieces.every(isNumber)) {
      forms.push(pieces.map((piece) => (isNumber(piece) ? 'x' : piece)).join(''));
    }
    return [...new Set(forms)].filter(Boolean);
  };

  const idsOf = (query) => {
    const lower = small(query);
    const marked = lower.startsWith('0x') ? lower.slice(2) : lower.startsWith('#') ? lower.slice(1) : null;
    const digits = marked ?? lower;
    const ids = [];
    if (/^[0-9a-f]{1,8}$/.test(digits) && (marked !== null || digits.length === 8)) {
      ids.push(parseInt(digits, 16));
    }
    if (/^-?[0-9]{5,10}$/.test(lower)) {
      const number = Number(lower);
      if (number >= -0x80000000 && number <= 0xffffffff) ids.push(number >>> 0);
    }
    return ids;
  };

  const askedOf = (query) => {
    const words = wordsOf(query).map(stemOf);
    let asked = [];
    for (let place = 0; place < words.length; place++) {
      let word = words[place];
      const both = place + 1 < words.length ? joined(word, words[place + 1]) : undefined;
      if (both) {
        word = both;
        place++;
      }
      if (!asked.includes(word)) asked.push(word);
    }
    if (asked.some((word) => !stops.has(word))) asked = asked.filter((word) => !stops.has(word));
    return asked.slice(0, WORDS);
  };

  const calledOf = (query) => {
    let asked = askedOf(query);
    for (const words of extra) {
      asked = asked.filter((word) => !words.includes(word));
      if (called.has(asked.join(' '))) return called.get(asked.join(' '));
    }
    return [];
  };

  const mistyped = (thing, forms) => {
    const short = thing.key.slice(thing.short), rank = thing.rank * 100;
    let best = 0;
    for (const [form, bits] of forms) {
      if (form.length < 3) continue;
      if (thing.key.includes(form)) {
        best = Math.max(best, FAR + rank + 50);
        continue;
      }
      const limit = form.length < 4 ? 0 : form.length < 8 ? 1 : 2;
      if (!limit || countOnes(bits & ~thing.letters) > limit) continue;
      for (const key of thing.short ? [short, thing.key] : [short]) {
        const away = distance(form, key, limit);
        if (away < 0) continue;
        const brevity = 99 - Math.min(Math.abs(key.length - form.length), 99);
        best = Math.max(best, (away === 2 ? FAR : MISTYPED) + rank + brevity);
      }
    }
    return best;
  };

  const namedAs = (thing, query, forms) => {
    if (query === thing.name) return EXACT + thing.rank;
    const short = thing.key.slice(thing.short), rank = thing.rank * 100;
    const brevity = (form, key) => 99 - Math.min(Math.abs(key.length - form.length), 99);
    let best = 0;
    for (const [form] of forms) {
      let score = 0;
      if (form === thing.key) score = SAME + rank + 1;
      else if (form === short) score = SAME + rank;
      else if (short.startsWith(form)) score = BEGUN + rank + brevity(form, short);
      else if (thing.key.startsWith(form)) score = BEGUN + rank + brevity(form, thing.key);
      else if (form.length >= 3 && thing.humps.some((hump) => thing.key.startsWith(form, hump))) {
        score = INSIDE + rank + brevity(form, thing.key);
      }
      best = Math.max(best, score);
    }
    return best;
  };

  const nearest = (word) => {
    if (word.length < 4) return undefined;
    let best, most = 0;
    for (const stem of sorted) {
      const count = stems.get(stem).length;
      if (count > most && stem.length <= word.length + 1 && distance(word, stem, 1) >= 0) {
        [best, most] = [stem, count];
      }
    }
    return best;
  };

  const said = (query) => {
    const asked = askedOf(query), sums = new Map();
    let most = 0;
    for (const word of asked) {
      const fits = new Map();
      const take = (stem, times) => {
        for (const [number, weight] of stems.get(stem) ?? []) {
          const [fit, inName] = fits.get(number) ?? [0, false];
          fits.set(number, [Math.max(fit, weight * times), inName || weight >= IN_FRONT]);
        }
      };
      take(word, AS_IT_IS);
      if (word.length >= 3) {
        for (const stem of sorted) if (stem !== word && stem.startsWith(word)) take(stem, ALIKE);
      }
      for (const other of meanings.get(word) ?? []) take(other, ALIKE);
      if (!fits.size) {
        const near = nearest(word);
        for (const [number, weight] of stems.get(near) ?? []) fits.set(number, [weight * ALIKE, false]);
      }
      const rarity = fits.size ? 32 - Math.clz32(Math.floor(things.length / fits.size)) : 1;
      most += MOST * rarity;
      for (const [number, [fit, inName]] of fits) {
        const [sum, words, named] = sums.get(number) ?? [0, 0, 0];
        sums.set(number, [sum + fit * rarity, words + 1, named + (inName ? 1 : 0)]);
      }
    }
    const scores = [];
    for (const [number, [sum, words, inName]] of sums) {
      const thing = things[number], used = thing.weight * WEIGHT, fit = Math.floor(sum * 100 / most);
      if (inName === asked.length) {
        const brevity = Math.max(0, 20 - thing.humps.length);
        scores.push([number, NAMED + thing.rank * 1000 + fit * 5 + used + brevity]);
      } else if (words === asked.length) {
        scores.push([number, SAID + fit * 8 + used + thing.rank]);
      } else if (words * 2 >= asked.length) {
        scores.push([number, PARTLY + fit * 8 + used + thing.rank]);
      }
    }
    return scores;
  };

  globalThis.chappeSearch = (text, limit) => {
    if (!things) prepare(globalThis.chappeSearchIndex);
    const query = [...text.trim()].slice(0, LETTERS).join('');
    const forms = formsOf(query).map((form) => [form, lettersOf(form)]);
    const ids = idsOf(query), why = new Map();
    const scores = things.map((thing) => {
      return ids.includes(thing.id) ? ID : namedAs(thing, query, forms);
    });
    // Who begins a name right has not mistyped it.
    if (!scores.some((score) => score >= BEGUN)) {
      for (let number = 0; number < things.length; number++) {
        scores[number] = Math.max(scores[number], mistyped(things[number], forms));
      }
    }
    for (const [number, score] of said(query)) scores[number] = Math.max(scores[number], score);
    for (const [form] of forms) {
      for (const [number, param] of params.get(form) ?? []) {
        const score = SAID + 900 + things[number].rank;
        if (score > scores[number]) {
          scores[number] = score;
          why.set(number, param);
        }
      }
    }
    const made = forms.map(([form]) => elsewhere.get(form)).find(Boolean) ?? [];
    for (const [place, number] of made.entries()) {
      scores[number] = Math.max(scores[number], ELSEWHERE - place);
    }
    for (const [place, name] of calledOf(query).entries()) {
      for (let number = 0; number < things.length; number++) {
        if (things[number].name === name) scores[number] = Math.max(scores[number], CALLED - place);
      }
    }
    const found = [...scores.keys()].filter((number) => scores[number] > 0);
    // The order of the index decides among equals: sorting keeps it.
    found.sort((a, b) => scores[b] - scores[a]);
    return found.slice(0, limit).map((number) => {
      const { kind, folder, name, about, anchor } = things[number];
      const address = kind === 'guide'
        ? 'start.html' + (anchor && '#' + anchor)
        : folder + '/' + name.split(/[< ]/)[0] + '.html';
      return { kind, name, about, address, why: why.has(number) ? 'param ' + why.get(number) : '' };
    });
  };
})();
