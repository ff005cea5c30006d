import prettier from 'eslint-config-prettier'
import vue from 'eslint-plugin-vue'
import typescript from 'typescript-eslint'

export default typescript.config(
  { ignores: ['dist', 'src/core/client', 'components.d.ts'] },
  typescript.configs.recommended,
  vue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: typescript.parser } },
  },
  {
    // A page is named after its address: help.vue.
    files: ['**/*.vue'],
    ignores: ['src/core/**'],
    rules: { 'vue/multi-word-component-names': 'off' },
  },
  prettier,
)
