interface ImportMetaEnv {
  readonly CUSTOMER_NAME: string
}
