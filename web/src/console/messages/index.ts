import { texts } from '../../language/language'
import { en } from './en'
import { zh } from './zh'

/** Texts of the console. */
export const desk = texts({ zh, en })
