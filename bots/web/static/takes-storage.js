/**
 * Where takes are: in IndexedDB, or in the page's memory. A take is a row `{ id, at, state, bytes, pieces, ... }`, where
 * `bytes` and `pieces` count its sound, which lies beside it in pieces (Int16Array).
 */

const NAME = "june-takes";
const ROWS = "takes";
const SOUND = "pieces"; // by [id, number]

/** Takes in IndexedDB: over reloads, and in all tabs. */
export class LastingTakes {
  #database = null;

  /** Rejects where the browser has no IndexedDB for this page. */
  static async open() {
    const takes = new LastingTakes();
    await takes.#open();
    return takes;
  }

  rows() {
    return this.#transact("readonly", ({ rows }) => result(rows.getAll()));
  }

  row(id) {
    return this.#transact("readonly", ({ rows }) => result(rows.get(id)));
  }

  pieces(id) {
    return this.#transact("readonly", ({ sound }) => result(sound.getAll(allOf(id))));
  }

  add(row) {
    return this.#transact("readwrite", ({ rows }) => result(rows.add(row)));
  }

  /** Change fields of a row; false where it is gone. */
  change(id, fields) {
    return this.#transact("readwrite", async ({ rows }) => {
      const row = await result(rows.get(id));
      if (row) await result(rows.put({ ...row, ...fields }));
      return Boolean(row);
    });
  }

  /** Add a piece; false where its take is gone. */
  append(id, pcm) {
    return this.#transact("readwrite", async ({ rows, sound }) => {
      const row = await result(rows.get(id));
      if (!row) return false;
      await result(sound.put(pcm, [id, row.pieces]));
      await result(rows.put({ ...row, bytes: row.bytes + pcm.byteLength, pieces: row.pieces + 1 }));
      return true;
    });
  }

  remove(id) {
    return this.#transact("readwrite", ({ rows, sound }) => Promise.all([result(rows.delete(id)), result(sound.delete(allOf(id)))]));
  }

  clear() {
    return this.#transact("readwrite", ({ rows, sound }) => Promise.all([result(rows.clear()), result(sound.clear())]));
  }

  /** Do some work in one transaction; resolves with what it gives once that is written, or rejects and changes nothing. */
  async #transact(mode, work) {
    const transaction = (this.#database ?? (await this.#open())).transaction([ROWS, SOUND], mode);
    const written = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const [given] = await Promise.all([
      work({ rows: transaction.objectStore(ROWS), sound: transaction.objectStore(SOUND) }),
      written,
    ]);
    return given;
  }

  async #open() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(ROWS, { keyPath: "id" });
      request.result.createObjectStore(SOUND);
    };
    const database = await result(request);
    const close = () => {
      database.close();
      this.#database = null; // opened anew when it is needed
    };
    database.onclose = close; // the browser's data were deleted
    database.onversionchange = close; // another tab wants to delete or upgrade it
    this.#database = database;
    return database;
  }
}

/** Takes in memory, as long as the page. */
export class PassingTakes {
  #rows = new Map();
  #sound = new Map();

  async rows() {
    return [...this.#rows.values()];
  }

  async row(id) {
    return this.#rows.get(id);
  }

  async pieces(id) {
    return this.#sound.get(id) ?? [];
  }

  async add(row) {
    this.#rows.set(row.id, row);
    this.#sound.set(row.id, []);
  }

  async change(id, fields) {
    const row = this.#rows.get(id);
    if (row) this.#rows.set(id, { ...row, ...fields });
    return Boolean(row);
  }

  async append(id, pcm) {
    const row = this.#rows.get(id);
    if (!row) return false;
    this.#sound.get(id).push(pcm);
    return this.change(id, { bytes: row.bytes + pcm.byteLength, pieces: row.pieces + 1 });
  }

  async remove(id) {
    this.#rows.delete(id);
    this.#sound.delete(id);
  }

  async clear() {
    this.#rows.clear();
    this.#sound.clear();
  }
}

const allOf = (id) => IDBKeyRange.bound([id, 0], [id, Infinity]);

/** What an IndexedDB request gives. */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
