import type { Document } from '../api/portal'
import { forgetHolder, OWNER, VISITS } from './holdings'
import { keep, unseal } from './vault'

async function markOf(document: Document): Promise<string> {
  const text = new TextEncoder().encode(`${document.type} ${document.number}`)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', text))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Makes the person with `document`, who has just signed in, the owner of what this browser keeps. Visits that the same
 * person could not send stay; everything of anybody else goes. Resolves with how many visits of somebody else went.
 * Never rejects: without storage there is nothing to own.
 */
export async function takeOver(document: Document): Promise<number> {
  try {
    const mark = await markOf(document)
    if ((await unseal<string>(OWNER)) === mark) return 0
    const others = (await unseal<readonly unknown[]>(VISITS)) ?? []
    await forgetHolder()
    await keep(OWNER, mark)
    return others.length
  } catch (error) {
    console.warn(error)
    return 0
  }
}
