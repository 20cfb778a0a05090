DROP TABLE IF EXISTS order_totals;
CREATE TABLE order_totals AS
SELECT customer, sum(amount) AS total
FROM orders
GROUP BY customer;
