import { expect, it } from 'vitest'
import { asTable } from './data'

it('shows flat objects as a table', () => {
  expect(
    asTable([
      { number: 1, goods: 'lamp' },
      { number: 2, late: true },
    ]),
  ).toEqual({
    columns: ['number', 'goods', 'late'],
    rows: [
      [1, 'lamp', undefined],
      [2, undefined, true],
    ],
  })
})

it.each([[[]], [['a']], [[{ parts: [1] }]], [{ a: 1 }]])('shows %j otherwise', (value) => {
  expect(asTable(value)).toBeNull()
})
