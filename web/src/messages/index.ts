import { texts } from '../language/language'
import { en } from './en'
import { zh } from './zh'

/** Texts that both apps use. */
export const shared = texts({ zh, en })
