import { texts } from '../../language/language'
import { en } from './en'
import { zh } from './zh'

/** Texts of a guard's device. */
export const duty = texts({ zh, en })
