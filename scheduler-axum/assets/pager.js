// Keyset pagination: a window of a few pages over a list that may be very long.

const MOST_PAGES = 3;

/** `read(cursor, signal)` returns `{ items, next }`. Holds at most three pages at once. */
export class Pager {
  constructor(read) {
    this.read = read;
    this.reset();
  }

  /** Clears everything: the filter has changed. */
  reset() {
    this.abort?.abort();
    this.start = null; // cursor before the first page that is held
    this.before = []; // cursors of pages that were let go at the top
    this.pages = [];
    this.busy = Promise.resolve();
  }

  get items() {
    return this.pages.flatMap((page) => page.items);
  }

  get next() {
    return this.pages.at(-1)?.next ?? null;
  }

  get hasEarlier() {
    return this.before.length > 0;
  }

  /** Reads the pages of the window again, each from the end of the one before it. */
  reload() {
    return this.turn(async (signal) => {
      const count = Math.max(1, this.pages.length);
      const pages = [];
      let cursor = this.start;
      while (pages.length < count) {
        const page = await this.page(cursor, signal);
        pages.push(page);
        cursor = page.next;
        if (cursor === null) break;
      }
      this.pages = pages;
    });
  }

  more() {
    return this.turn(async (signal) => {
      if (this.next === null) return;
      const page = await this.page(this.next, signal);
      this.pages.push(page);
      while (this.pages.length > MOST_PAGES) {
        this.before.push(this.start);
        this.start = this.pages.shift().next;
      }
    });
  }

  earlier() {
    return this.turn(async (signal) => {
      if (this.before.length === 0) return;
      this.start = this.before.pop();
      const pages = [];
      let cursor = this.start;
      do {
        const page = await this.page(cursor, signal);
        pages.push(page);
        cursor = page.next;
      } while (cursor !== null && pages.length < MOST_PAGES);
      this.pages = pages;
    });
  }

  async page(cursor, signal) {
    const { items, next } = await this.read(cursor, signal);
    signal.throwIfAborted();
    return { items, next: next ?? null };
  }

  // One at a time, and no late answers for an older filter.
  turn(work) {
    this.abort ??= new AbortController();
    if (this.abort.signal.aborted) this.abort = new AbortController();
    const { signal } = this.abort;
    const done = this.busy.then(() => {
      signal.throwIfAborted();
      return work(signal);
    });
    this.busy = done.catch(() => {});
    return done;
  }
}
