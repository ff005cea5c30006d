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
    rules: {
      // A page is named after its address: help.vue.
      'vue/multi-word-component-names': ['error', { ignores: ['help'] }],
    },
  },
  prettier,
)
