// Generates the API's client, `src/core/client/`, from the API's description; does nothing while
// description, generator and this file are unchanged. The scripts of package.json run it first.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const DESCRIPTION = '../api/openapi.json'
const CLIENT = 'src/core/client'
const GENERATED_FROM = `${CLIENT}/.generated-from`

process.chdir(import.meta.dirname)
const hash = createHash('sha256')
for (const path of [
  DESCRIPTION,
  'node_modules/@hey-api/openapi-ts/package.json',
  'generate-client.js',
]) {
  hash.update(readFileSync(path))
}
const inputs = hash.digest('hex')

if (!existsSync(GENERATED_FROM) || readFileSync(GENERATED_FROM, 'utf8') !== inputs) {
  const { createClient } = await import('@hey-api/openapi-ts')
  await createClient({
    input: DESCRIPTION,
    output: { path: CLIENT, tsConfigPath: './tsconfig.json' },
    logs: { file: false, level: 'silent' },
    plugins: [
      { name: '@hey-api/client-fetch', throwOnError: true, baseUrl: false },
      '@hey-api/typescript',
      { name: '@hey-api/sdk', validator: false },
    ],
  }).catch((error) => {
    console.error(`The API's client cannot be generated from ${DESCRIPTION}: ${error.message}`)
    process.exit(1)
  })
  writeFileSync(GENERATED_FROM, inputs)
}
