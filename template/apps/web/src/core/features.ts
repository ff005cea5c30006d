/**
 * The pages of each feature. To add a feature, add its folder with a `routes.ts`, and its line here;
 * `meta.nav` of a route puts its page into the side bar.
 */
export { routes as accounts } from './accounts/routes'
export { routes as conversations } from './conversations/routes'
