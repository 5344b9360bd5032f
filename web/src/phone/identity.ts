import type { Faults } from '../design/use-faults'
import type { Document, DocumentType } from '../api/portal'
import { looksLikePhone, looksValid, normalised } from './documents'
import { phone as words } from './messages'

/** What claiming and signing in both ask for. */
export interface Identity {
  documentType: DocumentType
  documentNumber: string
  phone: string
  password: string
  challenge: string
}

export function emptyIdentity(): Identity {
  return { documentType: 'resident_id', documentNumber: '', phone: '', password: '', challenge: '' }
}

export function documentOf(identity: Identity): Document {
  return { type: identity.documentType, number: normalised(identity.documentNumber) }
}

/** What can be seen to be wrong before asking the server, by field. */
export function identityFaults(identity: Identity): Faults {
  const said = words.value.fields
  const faults: Record<string, string> = {}
  if (!identity.documentNumber) faults['document.number'] = said.faults.documentNumber
  else if (!looksValid(identity.documentType, identity.documentNumber))
    faults['document.number'] = said.documents[identity.documentType].fault
  if (!looksLikePhone(identity.phone)) faults.phone = said.faults.phone
  if (!identity.challenge) faults.one_time_password = said.faults.noChallenge
  else if (!identity.password) faults.one_time_password = said.faults.otp
  return faults
}

const NAMES: Record<string, string> = {
  document: 'document.number',
  number: 'document.number',
  type: 'document.type',
  challenge: 'one_time_password',
  consent_version: 'consents',
}

/** The form's name for a field as the server calls it. */
export function fieldKey(field: string): string {
  return NAMES[field] ?? field
}
