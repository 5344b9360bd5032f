import { countsOf, type DeviceStore, type SealedScan } from './store'

const DATABASE = 'tianfu-guard'
const VERSION = 1
const FACTS = 'facts'
const SCANS = 'scans'

function answerOf<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('the browser keeps nothing'))
  })
}

function endOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    const fail = (): void => reject(transaction.error ?? new Error('the browser keeps nothing'))
    transaction.onabort = fail
    transaction.onerror = fail
  })
}

/** Keeps everything in IndexedDB. Writing returns only when the browser says that it is done. */
export class IndexedStore implements DeviceStore {
  private constructor(private readonly database: IDBDatabase) {}

  /** Rejects where the browser refuses to keep anything, as private windows of some do. */
  static async open(): Promise<IndexedStore> {
    const request = indexedDB.open(DATABASE, VERSION)
    request.onupgradeneeded = () => {
      request.result.createObjectStore(FACTS)
      const scans = request.result.createObjectStore(SCANS, { keyPath: 'order', autoIncrement: true })
      scans.createIndex('venue', 'venue')
      scans.createIndex('id', 'id', { unique: true })
    }
    const database = await answerOf(request)
    // Another tab with a newer page may change the layout; this one then starts anew when it is next opened.
    database.onversionchange = () => database.close()
    return new IndexedStore(database)
  }

  async read(name: string): Promise<unknown> {
    return answerOf(this.database.transaction(FACTS).objectStore(FACTS).get(name))
  }

  async write(facts: Readonly<Record<string, unknown>>): Promise<void> {
    const transaction = this.database.transaction(FACTS, 'readwrite')
    for (const [name, value] of Object.entries(facts)) transaction.objectStore(FACTS).put(value, name)
    await endOf(transaction)
  }

  async append(scan: SealedScan, most: number): Promise<boolean> {
    // What was told to be kept must survive the battery: not only be on its way to the disk.
    const transaction = this.database.transaction(SCANS, 'readwrite', { durability: 'strict' })
    const scans = transaction.objectStore(SCANS)
    let added = false
    const counted = scans.count()
    counted.onsuccess = () => {
      if (counted.result >= most) return
      scans.add(scan)
      added = true
    }
    await endOf(transaction)
    return added
  }

  async oldest(venue: string, limit: number): Promise<readonly SealedScan[]> {
    const index = this.database.transaction(SCANS).objectStore(SCANS).index('venue')
    return answerOf(index.getAll(venue, limit)) as Promise<SealedScan[]>
  }

  async drop(ids: readonly string[]): Promise<void> {
    const transaction = this.database.transaction(SCANS, 'readwrite', { durability: 'strict' })
    const scans = transaction.objectStore(SCANS)
    for (const id of ids) {
      const found = scans.index('id').getKey(id)
      found.onsuccess = () => {
        if (found.result !== undefined) scans.delete(found.result)
      }
    }
    await endOf(transaction)
  }

  async counts(): Promise<ReadonlyMap<string, number>> {
    const venues: string[] = []
    const cursor = this.database.transaction(SCANS).objectStore(SCANS).index('venue').openKeyCursor()
    await new Promise<void>((resolve, reject) => {
      cursor.onerror = () => reject(cursor.error ?? new Error('the browser keeps nothing'))
      cursor.onsuccess = () => {
        const at = cursor.result
        if (!at) return resolve()
        venues.push(String(at.key))
        at.continue()
      }
    })
    return countsOf(venues)
  }
}
