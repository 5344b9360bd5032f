// What this browser keeps of its holder, in IndexedDB. Values are sealed with an AES key, and codes signed with a P-256
// key, that no script can read out, ours included: who copies the files of the browser has bytes. Where the browser
// refuses storage, or the page is no secure context, nothing is kept and nothing breaks.

const DATABASE = 'tianfu-phone'
const STORE = 'values'
const SEAL_KEY = 'seal-key'
const NONCE_BYTES = 12

interface Sealed {
  readonly nonce: Uint8Array<ArrayBuffer>
  readonly bytes: ArrayBuffer
}

let opened: Promise<IDBDatabase> | null = null

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('storage failed'))
  })
}

function open(): Promise<IDBDatabase> {
  opened ??= (async () => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE)
    const database = await done(request)
    // Another tab with a newer version of the app, or the browser, may need it gone.
    database.onversionchange = () => (database.close(), (opened = null))
    database.onclose = () => (opened = null)
    return database
  })().catch((error: unknown) => {
    opened = null
    throw error
  })
  return opened
}

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  return (await open()).transaction(STORE, mode).objectStore(STORE)
}

/** The value kept under `name` as it is, for keys and what is not secret; null for none. Rejects without storage. */
export async function readPlain<T>(name: string): Promise<T | null> {
  return ((await done((await store('readonly')).get(name))) as T | undefined) ?? null
}

/** Keeps `value` under `name`, durable when it resolves. Rejects without storage. */
export async function writePlain(name: string, value: unknown): Promise<void> {
  const transaction = (await open()).transaction(STORE, 'readwrite', { durability: 'strict' })
  const finished = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('storage failed'))
  })
  transaction.objectStore(STORE).put(value, name)
  await finished
}

async function sealKey(): Promise<CryptoKey> {
  const kept = await readPlain<CryptoKey>(SEAL_KEY)
  if (kept) return kept
  const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  // Two tabs may make one each; the first one kept is everyone's.
  const values = await store('readwrite')
  return new Promise((resolve, reject) => {
    const look = values.get(SEAL_KEY)
    look.onsuccess = () => {
      if (look.result) resolve(look.result as CryptoKey)
      else values.put(made, SEAL_KEY).onsuccess = () => resolve(made)
    }
    values.transaction.onabort = () => reject(values.transaction.error ?? new Error('storage failed'))
  })
}

function bound(name: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`tianfu phone 1 ${name}`)
}

/** Keeps `value` (anything JSON can hold) sealed under `name`. Rejects without storage. */
export async function keep(name: string, value: unknown): Promise<void> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: bound(name) }
  const bytes = await crypto.subtle.encrypt(algorithm, await sealKey(), new TextEncoder().encode(JSON.stringify(value)))
  await writePlain(name, { nonce, bytes } satisfies Sealed)
}

/** What was kept under `name`; null for none, and for bytes that this browser did not seal. Rejects without storage. */
export async function unseal<T>(name: string): Promise<T | null> {
  const sealed = await readPlain<Sealed>(name)
  if (!sealed) return null
  try {
    const algorithm = { name: 'AES-GCM', iv: sealed.nonce, additionalData: bound(name) }
    const bytes = await crypto.subtle.decrypt(algorithm, await sealKey(), sealed.bytes)
    return JSON.parse(new TextDecoder().decode(bytes)) as T
  } catch (error) {
    console.warn(error)
    return null
  }
}

/** Forgets what is kept under `names`. Never rejects: without storage there is nothing. */
export async function forgetKept(...names: readonly string[]): Promise<void> {
  try {
    const values = await store('readwrite')
    await Promise.all(names.map((name) => done(values.delete(name))))
  } catch (error) {
    console.warn(error)
  }
}

/** Forgets everything, the keys too: what was sealed with them is then unreadable wherever it may still lie. */
export async function emptyVault(): Promise<void> {
  try {
    await done((await store('readwrite')).clear())
  } catch (error) {
    console.warn(error)
  }
}
