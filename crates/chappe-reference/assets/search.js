// The search of the method reference: sets `chappeSearch(query, limit, again)`, which gives hits of the form
// { kind, name, about, address, why }, the likeliest first. It works on `chappeSearchIndex` of
// search-index.js, which is loaded before. What only older layers had is in search-older.js, which is loaded when
// it is needed, and then `again` is called: `chappeSearch.wantsOlder(query)` says when. crates/chappe-reference/src/search.rs is the same
// algorithm and says why; both give the same order, letter by letter.
(() => {
  'use strict';

  const PARTLY = 1e6, FAR = 2e6, SAID = 3e6, MISTYPED = 4e6, NAMED = 5e6, INSIDE = 6e6, BEGUN = 7e6,
    ELSEWHERE = 75e5, SAME = 8e6, CALLED = 85e5, TOLD = 87e5, SAYING = TOLD + 500, EXACT = 9e6, ID = 10e6;
  const IN_MESSAGE = { error: 400, method: 300, gone: 200, constructor: 100, type: 0 };
  const IN_NAME = 4, IN_FRONT = 3, IN_ABOUT = 2, IN_PARAM = 1, WEIGHT = 8;
  const AS_IT_IS = 4, ALIKE = 2, MOST = IN_NAME * AS_IT_IS;
  const LETTERS = 128, MESSAGE = 1024, WORDS = 8, NAMES = 24;

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

  let joins, meanings, called, sayings, elsewhere, extra, stops, noise, tails, things, stems, params, sorted, present, older;

  const joined = (one, other) => joins.get(one + ' ' + other);

  // What a name gives to a thing of it: its words, which the names of most others have, too, are not kept.
  const spell = (thing) => {
    const bare = thing.name.split('<')[0], dot = bare.indexOf('.');
    const named = wordsOf(bare.slice(dot + 1)), front = wordsOf(bare.slice(0, Math.max(dot, 0)));
    thing.key = compact(bare);
    thing.short = front.join('').length;
    thing.letters = lettersOf(thing.key);
    thing.humps = [];
    let place = 0;
    for (const word of [...front, ...named]) {
      thing.humps.push(place);
      place += word.length;
    }
    Object.assign(thing, { id: null, params: [], see: [], weight: 0, anchor: '', file: bare.split(' ')[0] });
    return { named, front };
  };

  const numbers = (text) => text.split(' ').filter(Boolean).map((it) => parseInt(it, 36));

  // Who asks in words wants what there is: what is gone is found by its name and its ids.
  const prepareOlder = (data) => {
    const [kind, folder, rank] = data.kind, abouts = data.abouts.split('\n'), heirs = data.see.split(',');
    let name = '';
    for (const [place, line] of data.names.split('\n').entries()) {
      name = name.slice(0, line.charCodeAt(0) - 48) + line.slice(1);
      const thing = { kind, folder, rank, name, about: abouts[place] };
      spell(thing);
      thing.see = numbers(heirs[place]);
      things.push(thing);
    }
    older = data.older.split(',').map((line) => {
      const [number, id, layers] = numbers(line);
      return [id, number, data.layers[layers]];
    });
  };

  const prepare = (data) => {
    joins = new Map(data.joined.map(([[one, other], both]) => [one + ' ' + other, both]));
    meanings = new Map(Object.entries(data.meant));
    const listed = (text) => text.split(',').map((line) => {
      const [words, places] = line.split('=');
      return [words, numbers(places)];
    });
    called = new Map(listed(data.called));
    sayings = listed(data.sayings).map(([words, places]) => [words.split(' '), places]);
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
    let name = '', defined = 0, coded = 0, guides = 0, cores = 0;
    for (const [kind, folder, rank, count] of data.kinds) {
      for (let i = 0; i < count; i++) {
        const number = things.length, line = names[number];
        name = name.slice(0, line.charCodeAt(0) - 48) + line.slice(1);
        const thing = { kind, folder, rank, name, about: abouts[number] };
        const { named, front } = spell(thing);
        thing.weight = parseInt(data.weights[number], 36);
        if (kind === 'guide') thing.anchor = data.anchors[guides++];
        if (kind === 'core type') thing.file = data.files[cores++];
        if (kind === 'method' || kind === 'constructor') {
          thing.id = parseInt(ids[defined], 36);
          const used = uses[defined++];
          if (used) thing.params = used.split(' ').map((use) => dictionary[parseInt(use, 36)]);
        }
        if (kind === 'error') named.push(...codes[coded++].split(' '));
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
        things.push(thing);
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
      }
    }
    present = things.length;
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

  const withoutModules = (name) => {
    for (let dot = name.indexOf('.'); dot >= 0 && noise.has(small(name.slice(0, dot))); dot = name.indexOf('.')) {
      name = name.slice(dot + 1);
    }
    return name;
  };

  const toldOf = (message) => {
    const pieces = message.split(/[^A-Za-z0-9_.]+/).map((piece) => piece.replace(/^[_.]+|[_.]+$/g, '')).filter(Boolean);
    if (pieces.length < 2) return [];
    const told = new Map();
    const bare = pieces.map(withoutModules).filter((it) => it.length > 3 && /[_.]|[a-z][A-Z]/.test(it));
    for (const piece of bare.slice(0, NAMES)) {
      const forms = formsOf(piece);
      if (!told.has(forms.join(' '))) told.set(forms.join(' '), forms);
    }
    return [...told.values()];
  };

  const idsOf = (query) => {
    const lower = small(query), ids = aloneIn(lower);
    const pieces = [...lower.matchAll(/[0-9a-z]+/g)];
    if (pieces.length < 2) return ids;
    for (const { 0: piece, index } of pieces) {
      const before = lower[index - 1];
      const marked = piece.startsWith('0x') ? piece.slice(2) : before === '#' ? piece : null;
      const hex = marked ?? piece;
      if (/^[0-9a-f]{1,8}$/.test(hex) && (marked !== null || hex.length >= 6)) ids.push(parseInt(hex, 16));
      if (/^[0-9]{1,10}$/.test(piece)) {
        const number = Number((before === '-' ? '-' : '') + piece);
        if (number >= -0x80000000 && number <= 0xffffffff) ids.push(number >>> 0);
      }
    }
    return ids;
  };

  const aloneIn = (lower) => {
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

  const toldAs = (thing, told) => {
    if (!Object.hasOwn(IN_MESSAGE, thing.kind)) return 0;
    const short = thing.key.slice(thing.short);
    const hasNumber = thing.kind === 'error' && thing.name.split('_').includes('X') && thing.key.endsWith('x');
    const names = [thing.key, short, hasNumber ? thing.key.slice(0, -1) : short];
    const place = told.findIndex((forms) => names.some((name) => forms.includes(name)));
    return place < 0 ? 0 : TOLD + IN_MESSAGE[thing.kind] - place;
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
      const rarity = fits.size ? 32 - Math.clz32(Math.floor(present / fits.size)) : 1;
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

  const here = globalThis.document?.currentScript.src;
  let isAsked = false;
  const addOlder = (text, again) => {
    if (isAsked || !globalThis.chappeSearch.wantsOlder(text)) return;
    isAsked = true;
    const src = new URL('search-older.js', here).href;
    document.head.append(Object.assign(document.createElement('script'), { src, onload: again }));
  };

  const ready = () => {
    if (!things) prepare(globalThis.chappeSearchIndex);
    if (!older && globalThis.chappeSearchOlder) prepareOlder(globalThis.chappeSearchOlder);
  };

  globalThis.chappeSearch = (text, limit, again) => {
    ready();
    if (again) addOlder(text, again);
    const letters = [...text.trim()].slice(0, MESSAGE);
    const message = letters.join(''), query = letters.slice(0, LETTERS).join('');
    const forms = formsOf(query).map((form) => [form, lettersOf(form)]);
    const ids = idsOf(message), told = toldOf(message), why = new Map(), once = new Map();
    for (const [id, number, layers] of older ?? []) {
      if (ids.includes(id) && !once.has(number)) once.set(number, layers);
    }
    const scores = things.map((thing, number) => {
      return ids.includes(thing.id) || once.has(number) ? ID
        : Math.max(namedAs(thing, query, forms), toldAs(thing, told));
    });
    // What is taken instead of something that is gone comes behind it.
    for (let number = 0; number < things.length; number++) {
      const score = scores[number];
      if (score < SAME) continue;
      for (const [place, heir] of things[number].see.entries()) scores[heir] = Math.max(scores[heir], score - 1 - place);
    }
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
    const words = new Set(wordsOf(message).map(stemOf));
    const heard = sayings.filter(([saying]) => saying.every((word) => words.has(word)));
    for (const number of heard.flatMap(([, places]) => places)) scores[number] = Math.max(scores[number], SAYING);
    for (const [place, number] of calledOf(query).entries()) {
      scores[number] = Math.max(scores[number], CALLED - place);
    }
    const found = [...scores.keys()].filter((number) => scores[number] > 0);
    // The order of the index decides among equals: sorting keeps it.
    found.sort((a, b) => scores[b] - scores[a]);
    return found.slice(0, limit).map((number) => {
      const { kind, folder, name, about, anchor, file } = things[number];
      const place = once.has(number) ? 'history' : anchor;
      const address = (kind === 'guide' ? 'start' : folder + '/' + file) + '.html' + (place && '#' + place);
      const said = once.has(number) ? 'id of ' + once.get(number) : why.has(number) ? 'param ' + why.get(number) : '';
      return { kind, name, about, address, why: said };
    });
  };

  // Whether an older layer may know what this one does not: an id, or something that looks like a name.
  globalThis.chappeSearch.wantsOlder = (text) => {
    ready();
    if (older) return false;
    const message = [...text.trim()].slice(0, MESSAGE).join(''), ids = idsOf(message);
    const forms = formsOf(message.slice(0, LETTERS)).map((form) => [form, 0]), told = toldOf(message);
    const isKnown = (thing) => ids.includes(thing.id) || told.length > 0 && toldAs(thing, told) > 0
      || namedAs(thing, message, forms) >= SAME;
    return text.trim() !== '' && (ids.length > 0 || told.length > 0 || /[a-z][A-Z]|[a-z][._][a-zA-Z]/.test(message)) && !things.some(isKnown);
  };

})();
