import { texts } from '../../language/language'
import { en } from './en'
import { zh } from './zh'

/** Texts of the phone app. */
export const phone = texts({ zh, en })
