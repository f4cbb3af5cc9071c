// Random choices and mutated bytes, determined by a seed.

/** splitmix32 of a seed and the number of a case, so that a case does not depend on earlier ones. */
export class Random {
  #state;

  constructor(seed, number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) | 0;
  }

  /** 32 bits. */
  next() {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** An integer >= 0 and < `limit`. */
  below(limit) {
    return limit <= 0 ? 0 : this.next() % limit;
  }

  /** True in one of `times`. */
  oneIn(times) {
    return this.below(times) === 0;
  }

  pick(array) {
    return array[this.below(array.length)];
  }

  bytes(length) {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next();
    return bytes;
  }
}

const LENGTHS = [0, 1, 3, 4, 7, 8, 15, 16, 17, 20, 24, 71, 72, 108, 127, 128, 255, 256];
const LIMITS = [0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffc, 0xfffffffd, 0xffffffff];
const INTERESTING = [...LENGTHS, ...LIMITS];

/** A mutated copy: changed bits, bytes and lengths; parts that are removed, repeated, or copied from `others`. */
export function mutate(random, bytes, others) {
  let result = bytes.slice();
  for (let times = 1 + random.below(6); times > 0; times--) {
    const at = random.below(result.length);
    const view = new DataView(result.buffer);
    switch (random.below(7)) {
      case 0:
        if (result.length > 0) result[at] ^= 1 << random.below(8);
        break;
      case 1:
        if (result.length > 0) result[at] = random.next();
        break;
      case 2:
        if (at + 2 <= result.length) view.setUint16(at, random.pick(INTERESTING), true);
        break;
      case 3: {
        const word = at & ~3;
        if (word + 4 <= result.length) view.setUint32(word, random.pick(INTERESTING), true);
        break;
      }
      case 4:
        result = result.slice(0, at);
        break;
      case 5: {
        const piece = result.slice(at, at + random.below(200));
        result = Uint8Array.of(...result.slice(0, at), ...piece, ...result.slice(at)).slice(
          0,
          8_192,
        );
        break;
      }
      default: {
        const other = random.pick(others);
        const rest = other.slice(random.below(other.length));
        result = Uint8Array.of(...result.slice(0, at), ...rest).slice(0, 8_192);
      }
    }
  }
  return result;
}
