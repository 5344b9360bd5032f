// Checks the words of the app: the two languages have the same entries and none is empty; no text stands in a template
// or in code outside the message files. Prints each fault with its file and exits 1 when there is one.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { parse } from 'vue/compiler-sfc'

const ROOT = fileURLToPath(new URL('../src', import.meta.url))
const CHINESE = /\p{Script=Han}/u
const LETTERS = /\p{L}/u
// Static attributes whose text a person reads or hears.
const SPOKEN = new Set(['alt', 'aria-label', 'aria-description', 'title', 'placeholder', 'label', 'heading', 'hint', 'mark'])
const ELEMENT = 1
const TEXT = 2
const INTERPOLATION = 5
const ATTRIBUTE = 6
// Names of the languages are the same in both, and the one file that holds them is not translated.
const UNTRANSLATED = new Set(['language/language.ts'])

const faults = []
const files = readdirSync(ROOT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(ts|vue)$/.test(entry.name))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))

function fault(file, line, text) {
  faults.push(`${relative(ROOT, file)}:${line}: ${text}`)
}

/** All text in string and template literals of `source`; comments do not count. */
function literalsWithChinese(file, source, firstLine) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true)
  const visit = (node) => {
    if ((ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) && CHINESE.test(node.getText(tree))) {
      // Punctuation alone, such as a full-width comma between two translated parts, has no Han letter and passes.
      fault(file, firstLine + tree.getLineAndCharacterOfPosition(node.getStart(tree)).line, 'Chinese text outside messages')
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
}

function checkNode(file, node) {
  if (node.type === TEXT && LETTERS.test(node.content)) {
    fault(file, node.loc.start.line, `text in a template: ${node.content.trim().slice(0, 40)}`)
  }
  if (node.type === INTERPOLATION && /(['"`])[^'"`]*\p{L}{2}[^'"`]*\s[^'"`]*\1/u.test(node.content.content)) {
    fault(file, node.loc.start.line, `words in an expression: ${node.content.content.slice(0, 60)}`)
  }
  if (node.type === ELEMENT) {
    for (const attribute of node.props) {
      if (attribute.type === ATTRIBUTE && SPOKEN.has(attribute.name) && LETTERS.test(attribute.value?.content ?? '')) {
        fault(file, attribute.loc.start.line, `text in ${attribute.name}: ${attribute.value.content}`)
      }
    }
  }
  for (const child of node.children ?? []) checkNode(file, child)
}

for (const file of files) {
  const name = relative(ROOT, file)
  const source = readFileSync(file, 'utf8')
  if (name.includes('messages/') || UNTRANSLATED.has(name)) continue
  if (!name.endsWith('.vue')) {
    literalsWithChinese(file, source, 1)
    continue
  }
  const { descriptor } = parse(source, { filename: file })
  if (descriptor.scriptSetup) literalsWithChinese(file, descriptor.scriptSetup.content, descriptor.scriptSetup.loc.start.line)
  if (descriptor.template?.ast) checkNode(file, descriptor.template.ast)
}

/** The messages of one file as plain objects; message files import types only. */
async function load(file) {
  const code = ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  }).outputText
  return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`)
}

let count = 0
function compare(file, path, zh, en) {
  if (typeof zh !== typeof en) return fault(file, 0, `${path} is not the same kind of entry in both languages`)
  if (typeof zh === 'object') {
    for (const key of new Set([...Object.keys(zh), ...Object.keys(en)])) {
      if (!(key in zh) || !(key in en)) fault(file, 0, `${path}.${key} is missing in ${key in zh ? 'en' : 'zh'}`)
      else compare(file, `${path}.${key}`, zh[key], en[key])
    }
    return
  }
  count += 1
  const [said, spoken] = typeof zh === 'function' ? [zh(7, 7), en(7, 7)] : [zh, en]
  if (!said.trim() || !spoken.trim()) fault(file, 0, `${path} is empty`)
  // The name of the other language is written in that language.
  if (CHINESE.test(spoken) && !path.endsWith('.otherLanguage')) fault(file, 0, `${path} has Chinese in English`)
}

for (const file of files.filter((one) => one.endsWith('messages/zh.ts'))) {
  const [{ zh }, { en }] = [await load(file), await load(file.replace('zh.ts', 'en.ts'))]
  compare(file, relative(ROOT, file), zh, en)
}

if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
console.log(`texts: ${count} entries in both languages, none in ${files.length} source files besides`)
